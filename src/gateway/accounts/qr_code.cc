#include "gateway/accounts/qr_code.h"

#include <qrencode.h>

#include <memory>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::gateway {
namespace {

constexpr int kQuietZone = 4;  // modules, as the standard requires

}  // namespace

std::string qrCodeSvg(const Secret& text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(QRcode_encodeString8bit(text.reveal().c_str(), 0, QR_ECLEVEL_M), QRcode_free);
  if (!code) throw Error(ErrorCode::Internal, "The QR code cannot be drawn.");
  std::string path;
  for (int y = 0; y < code->width; ++y)
    for (int x = 0; x < code->width; ++x)
      if ((code->data[y * code->width + x] & 1) != 0) path += format("M{} {}h1v1h-1z", x + kQuietZone, y + kQuietZone);
  const int size = code->width + 2 * kQuietZone;
  return format(
      R"(<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" width="232" height="232" shape-rendering="crispEdges" role="img" aria-label="QR code"><rect width="{0}" height="{0}" fill="#fff"/><path d="{1}" fill="#000"/></svg>)",
      size, path);
}

}  // namespace swarm::gateway
