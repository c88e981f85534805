// Updates the list of workspaces. The form below it keeps its input.
'use strict';
(() => {
  const refresh = async () => {
    try {
      const response = await fetch('/', {cache: 'no-store', credentials: 'same-origin', redirect: 'manual', headers: {Accept: 'text/html'}});
      if (response.type === 'opaqueredirect') return location.reload();
      if (response.ok) {
        const current = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('list');
        const shown = document.getElementById('list');
        if (current && current.innerHTML !== shown.innerHTML && !shown.contains(document.activeElement)) shown.replaceWith(current);
      }
    } catch { /* the server may be restarting: retry */ }
    setTimeout(refresh, document.hidden ? 15000 : 3000);
  };
  setTimeout(refresh, 1500);
})();
