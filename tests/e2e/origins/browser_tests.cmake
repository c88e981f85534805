# Attacks between workspaces, ports and sites, in a real Chromium against the real server. Not part of the suite yet: run them by hand.
swarm_browser_test(e2e.Origins.keepsWorkspacesApartOnThisMachine LABEL e2e TIMEOUT 600
                   COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/this_machine.mjs --swarm $<TARGET_FILE:swarm>)
swarm_browser_test(e2e.Origins.keepsWorkspacesApartOnADomain LABEL e2e TIMEOUT 600
                   COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/domain.mjs --swarm $<TARGET_FILE:swarm>)
