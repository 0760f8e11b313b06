"""A small font for captions: capitals, digits and the signs that class names have. Letters are 3 x 5 dots."""

from __future__ import annotations

from typing import Any

import numpy as np

_SCALE = 2  # pixels of a dot
_ADVANCE = 4  # dots from letter to letter
HEIGHT = 5 * _SCALE  # pixels

# Five rows of three dots each; "#" is ink.
_LETTERS = """
A .#. #.# ### #.# #.#   B ##. #.# ##. #.# ##.   C .## #.. #.. #.. .##   D ##. #.# #.# #.# ##.
E ### #.. ##. #.. ###   F ### #.. ##. #.. #..   G .## #.. #.# #.# .##   H #.# #.# ### #.# #.#
I ### .#. .#. .#. ###   J ..# ..# ..# #.# .#.   K #.# #.# ##. #.# #.#   L #.. #.. #.. #.. ###
M #.# ### ### #.# #.#   N ##. #.# #.# #.# #.#   O .#. #.# #.# #.# .#.   P ##. #.# ##. #.. #..
Q .#. #.# #.# .#. ..#   R ##. #.# ##. #.# #.#   S .## #.. .#. ..# ##.   T ### .#. .#. .#. .#.
U #.# #.# #.# #.# ###   V #.# #.# #.# #.# .#.   W #.# #.# ### ### #.#   X #.# #.# .#. #.# #.#
Y #.# #.# .#. .#. .#.   Z ### ..# .#. #.. ###   0 ### #.# #.# #.# ###   1 .#. ##. .#. .#. ###
2 ##. ..# .#. #.. ###   3 ##. ..# .#. ..# ##.   4 #.# #.# ### ..# ..#   5 ### #.. ##. ..# ##.
6 .## #.. ### #.# ###   7 ### ..# .#. .#. .#.   8 ### #.# ### #.# ###   9 ### #.# ### ..# ##.
- ... ... ### ... ...   _ ... ... ... ... ###   . ... ... ... ... .#.   , ... ... ... .#. #..
: ... .#. ... .#. ...   / ..# ..# .#. #.. #..   ( .#. #.. #.. #.. .#.   ) .#. ..# ..# ..# .#.
+ ... .#. ### .#. ...   ? ##. ..# .#. ... .#.   ' .#. .#. ... ... ...   & .#. #.# .#. #.# .##
"""


def _parse() -> dict[str, Any]:
    words = _LETTERS.split()
    return {
        words[i]: np.array([[dot == "#" for dot in row] for row in words[i + 1 : i + 6]])
        for i in range(0, len(words), 6)
    }


_DOTS = _parse()


def draw_text(area: Any, text: str, ink: int) -> None:
    """Writes into `area` (HEIGHT, width, channels) what fits of the text; a letter that is not in the font is "?"."""
    for number, letter in enumerate(text.upper()):
        left = number * _ADVANCE * _SCALE
        if left + 3 * _SCALE > area.shape[1]:
            return
        if letter == " ":
            continue
        dots = _DOTS.get(letter, _DOTS["?"]).repeat(_SCALE, 0).repeat(_SCALE, 1)
        area[:, left : left + 3 * _SCALE][dots] = ink
