// Style and script of the gateway's pages. Inline, because a page about an unavailable instance cannot load files from it.
#pragma once

#include <string_view>

namespace swarm::gateway {

inline constexpr std::string_view kPageMark =
    "<svg viewBox=\"0 0 24 24\" width=\"22\" height=\"22\" aria-hidden=\"true\" fill=\"currentColor\"><path d=\"M12 1.5l4.3 2.5v5L12 "
    "11.5 7.7 9V4zM6.2 12l4.3 2.5v5L6.2 22l-4.3-2.5v-5zM17.8 12l4.3 2.5v5L17.8 22l-4.3-2.5v-5z\"/></svg>";

inline constexpr std::string_view kPageStyle = R"css(
:root{--back:#f6f7f9;--card:#fff;--text:#1c2330;--soft:#5b6472;--line:#d9dee6;--accent:#1f5fd1;--on-accent:#fff;--code:#eef1f5;
--good:#17703c;--busy:#8a5a00;--bad:#b3261e;--off:#5b6472}
@media (prefers-color-scheme:dark){:root{--back:#12151b;--card:#1b2029;--text:#e6eaf0;--soft:#9aa5b5;--line:#313a48;--accent:#7fb0ff;
--on-accent:#0d1522;--code:#262d39;--good:#6fd49a;--busy:#f0c26a;--bad:#ff9a92;--off:#9aa5b5}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--text);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{width:100%;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:2rem;box-shadow:0 8px 30px rgb(0 0 0/.06)}
main.card{max-width:27rem}
main.wide{max-width:60rem;align-self:start;margin-top:5vh}
.brand{display:flex;align-items:center;gap:.5rem;margin:0 0 1.25rem;color:var(--accent);font-weight:600}
.brand span{color:var(--text)}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem;display:flex;align-items:center;gap:.6rem}
p{margin:0 0 1rem;overflow-wrap:anywhere}
a{color:var(--accent)}
label{display:block;font-weight:600;font-size:.9rem;margin:.9rem 0 .3rem}
input{width:100%;font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);border-radius:8px;padding:.6rem .75rem}
input:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
button,.button{display:inline-block;font:inherit;font-weight:600;text-decoration:none;cursor:pointer;border:1px solid var(--accent);
border-radius:8px;padding:.6rem 1rem;background:var(--accent);color:var(--on-accent)}
main.card form button{width:100%;margin-top:1.4rem}
button.quiet{background:transparent;color:var(--accent);border-color:var(--line);padding:.35rem .8rem}
.hint{margin:1.25rem 0 0;font-size:.85rem;color:var(--soft)}
.problem{border-left:3px solid var(--bad);padding:.5rem .75rem;background:var(--code);border-radius:0 8px 8px 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em}
.command{background:var(--code);border-radius:8px;padding:.7rem .9rem;margin:0 0 1rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.spinner{width:1.1em;height:1.1em;border:3px solid var(--line);border-top-color:var(--accent);border-radius:50%;animation:turn 1s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media (prefers-reduced-motion:reduce){.spinner{animation-duration:6s}}
.bar{display:flex;align-items:center;gap:.75rem;margin:0 0 1.25rem}
.bar progress{flex:1;height:.6rem;accent-color:var(--accent)}
.bar span{color:var(--soft);min-width:3.2em;text-align:right}
.create{display:grid;grid-template-columns:auto 1fr auto;align-items:center;gap:.75rem;margin-top:1.5rem}
.create label{margin:0}
.actions{text-align:right}
header{display:flex;justify-content:space-between;align-items:start;gap:1rem}
header form{display:flex;align-items:center;gap:.75rem}
.who{color:var(--soft)}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;text-align:left}
th,td{padding:.65rem .5rem;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;color:var(--soft);font-size:.85rem;font-weight:600}
tbody th{font-weight:600}
.status::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;margin-right:.5em;background:currentColor}
.good{color:var(--good)}.busy{color:var(--busy)}.bad{color:var(--bad)}.off{color:var(--off)}
.note{display:block;color:var(--soft);font-size:.88rem}
[hidden]{display:none}
)css";

// Updates the list of workspaces. The form below it keeps its input.
inline constexpr std::string_view kLandingScript = R"js(
'use strict';
(() => {
  const look = async () => {
    try {
      const answer = await fetch('/', {cache: 'no-store', credentials: 'same-origin', redirect: 'manual', headers: {Accept: 'text/html'}});
      if (answer.type === 'opaqueredirect') return location.reload();
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('list');
        const shown = document.getElementById('list');
        if (fresh && fresh.innerHTML !== shown.innerHTML && !shown.contains(document.activeElement)) shown.replaceWith(fresh);
      }
    } catch { /* the server may be restarting */ }
    setTimeout(look, document.hidden ? 15000 : 3000);
  };
  setTimeout(look, 1500);
})();
)js";

// Polls the instance's status and reloads the page when it changes: at most once a second, less often when the page has waited for long,
// and twice a second during a move, whose pause is short.
inline constexpr std::string_view kWaitingScript = R"js(
'use strict';
(() => {
  const progress = document.getElementById('progress');
  const kind = progress.dataset.kind;
  const needsVscode = progress.dataset.vscode === 'yes';
  let since = Date.now() - Number(progress.dataset.elapsed) * 1000;
  const opened = Date.now();
  const show = (id, text) => { const e = document.getElementById(id); if (e && e.textContent !== text) e.textContent = text; };
  const tick = () => show('elapsed', Math.max(0, Math.floor((Date.now() - since) / 1000)) + ' s');
  const kindOf = (status) => status.moving ? 'moving' :
    ({creating: 'starting', starting: 'starting', running: 'starting'})[status.status] || status.status;
  const about = (seconds) => seconds < 0 ? '' : 'about ' + (seconds < 10 ? Math.max(seconds, 1) + ' s' :
    seconds < 95 ? Math.ceil(seconds / 5) * 5 + ' s' : seconds < 5700 ? Math.round(seconds / 60) + ' min' : Math.round(seconds / 3600) + ' h');
  const showMove = (moving) => {
    document.getElementById('bar').value = moving.percent;
    show('percent', moving.percent + ' %');
    show('step', moving.stepText);
    show('left', about(moving.secondsLeft));
    for (const id of ['left', 'left-name']) document.getElementById(id).hidden = moving.secondsLeft < 0;
  };
  const look = async () => {
    try {
      const answer = await fetch('/.swarm/status', {cache: 'no-store', credentials: 'same-origin', headers: {Accept: 'application/json'}});
      if (answer.status === 401 || answer.status === 404) return location.reload();
      const status = await answer.json();
      if (status.ready || (!needsVscode && status.status === 'running' && !status.moving?.paused) || kindOf(status) !== kind) return location.reload();
      if (status.moving) showMove(status.moving);
      else if (status.step) show('step', status.step);
      if (typeof status.elapsedSeconds === 'number') since = Date.now() - status.elapsedSeconds * 1000;
      const reason = status.moving ? '' : status.reason || '';
      show('reason', reason);
      for (const id of ['reason', 'reason-name']) document.getElementById(id).hidden = !reason;
    } catch { /* the server may be restarting: retry */ }
    setTimeout(look, kind === 'moving' ? 500 : kind === 'starting' && Date.now() - opened < 120000 ? 1000 : 3000);
  };
  setInterval(tick, 1000);
  setTimeout(look, 1000);
})();
)js";

}  // namespace swarm::gateway
