// The report's pictures as HTML: SVG around PNG, so that letters and lines are sharp at every size and on paper.
#pragma once

#include <span>
#include <string>

#include "summary.h"
#include "volume_view.h"

namespace smpc::report {

// The pictures of a volume with their captions and the colour scale.
std::string figures_html(const VolumeView& volume, const Summary& summary);

}  // namespace smpc::report
