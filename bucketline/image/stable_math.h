// exp, log and sin from +, -, * and / alone: libm's differ in the last bit between versions and CPUs, and one bit
// can move a crop box by a pixel or change a level. Relative error below 1e-15 for |x| <= 700 (sin: absolute).
#pragma once

#include <cmath>

namespace bucketline {

inline constexpr double kLn2 = 0.693147180559945309417;

inline double StableExp(double x) {
  const double halvings = std::floor(x / kLn2 + 0.5);
  const double rest = x - halvings * kLn2;  // |rest| <= ln(2) / 2: 20 terms of the series are plenty
  double sum = 1;
  for (int n = 20; n >= 1; --n) sum = 1 + sum * rest / n;
  return std::ldexp(sum, static_cast<int>(halvings));  // exact
}

// x > 0.
inline double StableLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact, in [0.5, 1)
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2;
    --exponent;
  }
  const double z = (mantissa - 1) / (mantissa + 1);  // log(mantissa) = 2 artanh(z), |z| < 0.172
  const double square = z * z;
  double sum = 0;
  for (int n = 23; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return exponent * kLn2 + 2 * z * sum;
}

// sin(pi * x).
inline double StableSinPi(double x) {
  const double whole = std::floor(x + 0.5);
  const double rest = (x - whole) * 3.14159265358979323846;  // |rest| <= pi / 2
  const double square = rest * rest;
  double sum = 1;
  for (int n = 25; n >= 3; n -= 2) sum = 1 - sum * square / (n * (n - 1));
  const bool odd = std::floor(whole / 2) * 2 != whole;
  return odd ? -rest * sum : rest * sum;
}

}  // namespace bucketline
