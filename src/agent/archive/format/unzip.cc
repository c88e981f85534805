// Implemented with libzstd.
#include "agent/archive/format/unzip.h"

#include <zstd.h>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kOutput = 256 * 1024;
}

struct Unzip::Impl {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~Impl() { ZSTD_freeDCtx(context); }
};

Unzip::Unzip() : impl_(std::make_unique<Impl>()) {}
Unzip::~Unzip() = default;

std::size_t Unzip::feed(std::string_view bytes, std::string& out) {
  std::size_t before = out.size();
  out.resize(before + kOutput);
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer output{out.data() + before, kOutput, 0};
  std::size_t result = ZSTD_decompressStream(impl_->context, &output, &input);
  out.resize(before + output.pos);
  if (ZSTD_isError(result) != 0)
    throw Error(ErrorCode::Unprocessable,
                format("This is not an archive of `swarm export`, or it is damaged: {}.", ZSTD_getErrorName(result)));
  between_frames_ = result == 0;
  has_more_ = output.pos == kOutput;
  return input.pos;
}

}  // namespace swarm::agent
