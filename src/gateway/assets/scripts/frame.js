// Signs a frame of a port in with a code from VS Code's host. Without one, the sign-in continues at the base host.
'use strict';
(async () => {
  const {code, enter, base} = document.getElementById('sign-in').dataset;
  let next = base;
  try {
    const response = await fetch(code, {cache: 'no-store', credentials: 'include', headers: {Accept: 'application/json'}});
    if (response.status === 403) {
      document.getElementById('sign-in').textContent = (await response.json()).detail;
      return;
    }
    if (response.ok) next = enter + encodeURIComponent((await response.json()).code);
  } catch { /* not signed in there */ }
  location.replace(next);
})();
