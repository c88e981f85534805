// Assets: templates, style and scripts of the gateway's pages. They are files below this folder, linked into the program byte for byte.
#pragma once

#include <string_view>

namespace swarm::gateway::assets {

std::string_view brandHtml();
std::string_view continueHtml();
std::string_view deviceHtml();
std::string_view enterHtml();
std::string_view identitiesHtml();
std::string_view inviteHtml();
std::string_view frameHtml();
std::string_view landingHtml();
std::string_view layoutHtml();
std::string_view messageHtml();
std::string_view portHtml();
std::string_view recoveryCodesHtml();
std::string_view secondFactorHtml();
std::string_view secondFactorSetupHtml();
std::string_view signInCodeHtml();
std::string_view programHtml();
std::string_view signInHtml();
std::string_view signInByLinkHtml();
std::string_view signedOutHtml();
std::string_view waitingHtml();
std::string_view frameJs();
std::string_view landingJs();
std::string_view pageWorkerJs();  ///< the service worker of VS Code's host
std::string_view waitingJs();
std::string_view pagesCss();

}  // namespace swarm::gateway::assets
