// QR codes as inline SVG.
#pragma once

#include <string>

#include "base/secret.h"

namespace swarm::gateway {

/// Markup, black on white in every colour scheme.
std::string qrCodeSvg(const Secret& text);

}  // namespace swarm::gateway
