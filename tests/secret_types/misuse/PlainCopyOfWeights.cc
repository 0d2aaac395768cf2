// Weights moved into memory that nobody wipes.
// expect: conversion from .*vector.*to non-scalar type|no viable conversion
#include <utility>

#include "smpc/compiler/network.h"

void keep(smpc::Affine& layer) {
#ifdef MISUSE
  const std::vector<float> kept = std::move(layer.weights);
#else
  const smpc::SecretVector<float> kept = std::move(layer.weights);
#endif
  static_cast<void>(kept);
}
