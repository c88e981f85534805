// Implemented with libzstd.
#include "agent/archive/format/zip.h"

#include <zstd.h>

#include <vector>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {
constexpr int kLevel = 3;
constexpr int kWorkers = 2;
}  // namespace

struct Zip::Impl {
  ByteSink sink;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<char> output = std::vector<char>(ZSTD_CStreamOutSize());
  ~Impl() { ZSTD_freeCCtx(context); }

  void compress(ZSTD_inBuffer& input, ZSTD_EndDirective directive) {
    for (;;) {
      ZSTD_outBuffer out{output.data(), output.size(), 0};
      std::size_t left = ZSTD_compressStream2(context, &out, &input, directive);
      if (ZSTD_isError(left) != 0) throw Error(ErrorCode::Internal, format("Compressing failed: {}.", ZSTD_getErrorName(left)));
      if (out.pos > 0) sink({output.data(), out.pos});
      if (directive == ZSTD_e_end ? left == 0 : input.pos == input.size) return;
    }
  }
};

Zip::Zip(ByteSink sink) : impl_(std::make_unique<Impl>()) {
  impl_->sink = std::move(sink);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_nbWorkers, kWorkers);  // a library without threads compresses in the calling one
}
Zip::~Zip() = default;

void Zip::write(std::string_view bytes) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  impl_->compress(input, ZSTD_e_continue);
}

void Zip::finish() {
  ZSTD_inBuffer input{nullptr, 0, 0};
  impl_->compress(input, ZSTD_e_end);
}

}  // namespace swarm::agent
