// A volume moved into memory that nobody wipes.
// expect: conversion from .*vector.*to non-scalar type|no viable conversion
#include <utility>

#include "smpc/image/volume_reader.h"

void keep(smpc::VolumeReader& reader) {
#ifdef MISUSE
  const std::vector<double> kept = reader.next();
#else
  const smpc::SecretVector<double> kept = reader.next();
#endif
  static_cast<void>(kept);
}
