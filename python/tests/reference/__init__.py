"""What the parity tests share: the engine's reference programs and images to feed them."""
