// Embedding of the files of this folder. An assembler include costs no compile time.
#include "gateway/assets/assets.h"

#include <cstddef>

// clang-format off
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the assembler needs literals
#define SWARM_ASSET(function, file)                                                                                   \
  asm(".pushsection .rodata\n"                                                                                        \
      ".global swarm_asset_" #function "\n"                                                                           \
      ".global swarm_asset_" #function "_end\n"                                                                       \
      "swarm_asset_" #function ":\n"                                                                                  \
      ".incbin \"" SWARM_ASSETS file "\"\n"                                                                          \
      "swarm_asset_" #function "_end:\n"                                                                              \
      ".byte 0\n"                                                                                                     \
      ".popsection\n");                                                                                               \
  extern "C" const char swarm_asset_##function[];                                                                     \
  extern "C" const char swarm_asset_##function##_end[];                                                               \
  std::string_view swarm::gateway::assets::function() {                                                               \
    return {swarm_asset_##function, static_cast<std::size_t>(swarm_asset_##function##_end - swarm_asset_##function)}; \
  }
// clang-format on

SWARM_ASSET(brandHtml, "brand.html")
SWARM_ASSET(continueHtml, "continue.html")
SWARM_ASSET(enterHtml, "enter.html")
SWARM_ASSET(inviteHtml, "invite.html")
SWARM_ASSET(frameHtml, "frame.html")
SWARM_ASSET(landingHtml, "landing.html")
SWARM_ASSET(layoutHtml, "layout.html")
SWARM_ASSET(messageHtml, "message.html")
SWARM_ASSET(signInHtml, "sign_in.html")
SWARM_ASSET(signInByLinkHtml, "sign_in_by_link.html")
SWARM_ASSET(signedOutHtml, "signed_out.html")
SWARM_ASSET(waitingHtml, "waiting.html")
SWARM_ASSET(frameJs, "frame.js")
SWARM_ASSET(landingJs, "landing.js")
SWARM_ASSET(pageWorkerJs, "page_worker.js")
SWARM_ASSET(waitingJs, "waiting.js")
SWARM_ASSET(pagesCss, "pages.css")
