// Polls the status of the instance, shows it, and reloads the page when it changes: at most once a second, less often when the page has
// waited for long, and twice a second during a move, whose pause is short.
'use strict';
(() => {
  const element = (id) => document.getElementById(id);
  const {kind, vscode, elapsed} = element('progress').dataset;
  const needsVscode = vscode === 'yes';
  const openedAt = Date.now();
  let stepStartedAt = Date.now() - Number(elapsed) * 1000;

  const show = (id, text) => { const shown = element(id); if (shown && shown.textContent !== text) shown.textContent = text; };
  const hide = (ids, hidden) => { for (const id of ids) element(id).hidden = hidden; };
  const showElapsed = () => show('elapsed', Math.max(0, Math.floor((Date.now() - stepStartedAt) / 1000)) + ' s');
  const kindOf = (status) => status.moving ? 'moving' :
    ({creating: 'starting', starting: 'starting', running: 'starting'})[status.status] || status.status;
  const about = (seconds) => seconds < 0 ? '' : 'about ' + (seconds < 10 ? Math.max(seconds, 1) + ' s' :
    seconds < 95 ? Math.ceil(seconds / 5) * 5 + ' s' : seconds < 5700 ? Math.round(seconds / 60) + ' min' : Math.round(seconds / 3600) + ' h');
  const showMove = (move) => {
    element('bar').value = move.percent;
    show('percent', move.percent + ' %');
    show('step', move.stepText);
    show('left', about(move.secondsLeft));
    hide(['left', 'left-name'], move.secondsLeft < 0);
  };
  const isAvailable = (status) => status.ready || (!needsVscode && status.status === 'running' && !status.moving?.paused);

  const poll = async () => {
    try {
      const response = await fetch('/.swarm/status', {cache: 'no-store', credentials: 'same-origin', headers: {Accept: 'application/json'}});
      if (response.status === 401 || response.status === 404) return location.reload();
      const status = await response.json();
      if (isAvailable(status) || kindOf(status) !== kind) return location.reload();
      if (status.moving) showMove(status.moving);
      else if (status.step) show('step', status.step);
      if (typeof status.elapsedSeconds === 'number') stepStartedAt = Date.now() - status.elapsedSeconds * 1000;
      const reason = status.moving ? '' : status.reason || '';
      show('reason', reason);
      hide(['reason', 'reason-name'], !reason);
    } catch { /* the server may be restarting: retry */ }
    setTimeout(poll, kind === 'moving' ? 500 : kind === 'starting' && Date.now() - openedAt < 120000 ? 1000 : 3000);
  };
  setInterval(showElapsed, 1000);
  setTimeout(poll, 1000);
})();
