// Embedding of the files below this folder. An assembler include costs no compile time.
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

SWARM_ASSET(brandHtml, "templates/brand.html")
SWARM_ASSET(continueHtml, "templates/continue.html")
SWARM_ASSET(deviceHtml, "templates/accounts/device.html")
SWARM_ASSET(enterHtml, "templates/enter.html")
SWARM_ASSET(identitiesHtml, "templates/accounts/identities.html")
SWARM_ASSET(inviteHtml, "templates/accounts/invite.html")
SWARM_ASSET(frameHtml, "templates/frame.html")
SWARM_ASSET(landingHtml, "templates/landing.html")
SWARM_ASSET(layoutHtml, "templates/layout.html")
SWARM_ASSET(messageHtml, "templates/message.html")
SWARM_ASSET(portHtml, "templates/port.html")
SWARM_ASSET(recoveryCodesHtml, "templates/accounts/recovery_codes.html")
SWARM_ASSET(secondFactorHtml, "templates/accounts/second_factor.html")
SWARM_ASSET(secondFactorSetupHtml, "templates/accounts/second_factor_setup.html")
SWARM_ASSET(signInCodeHtml, "templates/accounts/sign_in_code.html")
SWARM_ASSET(programHtml, "templates/accounts/program.html")
SWARM_ASSET(signInHtml, "templates/sign_in.html")
SWARM_ASSET(signInByLinkHtml, "templates/sign_in_by_link.html")
SWARM_ASSET(signedOutHtml, "templates/signed_out.html")
SWARM_ASSET(waitingHtml, "templates/waiting.html")
SWARM_ASSET(frameJs, "scripts/frame.js")
SWARM_ASSET(landingJs, "scripts/landing.js")
SWARM_ASSET(pageWorkerJs, "scripts/page_worker.js")
SWARM_ASSET(waitingJs, "scripts/waiting.js")
SWARM_ASSET(pagesCss, "pages.css")
