// A sound upper bound of how far a linear map stretches: its largest singular value.
#pragma once

#include <span>

#include "smpc/ring/conv.h"

namespace smpc {

// Of y = W * x for the matrix of a ConvShape's kernel. A convolution, wherever it steps and whatever it leaves out, is a part
// of one on a torus that is large enough, whose singular values are those of the kernel's Fourier transform, a matrix for
// each frequency (Sedghi, Gupta, Long: The Singular Values of Convolutional Layers, ICLR 2019). Between the frequencies
// that are tried a trigonometric polynomial of degree d is larger by 1 / cos(pi d / M) at most, for M of them along an axis
// (Ehlich and Zeller, Math. Z. 86 (1964)). That no singular value is larger than a bound is certain once a Cholesky
// factorisation of bound^2 - W W* comes to its end (Rump, BIT 46 (2006)). A map for which this would take more than
// `most_steps` multiplications gets a coarser bound: on fewer frequencies, or that of the kernel as a matrix times how many
// windows a place lies in.
constexpr double usual_steps = 6e9;  // a second or two
double map_norm_bound(const ConvShape& shape, std::span<const float> weights, double most_steps = usual_steps);

}  // namespace smpc
