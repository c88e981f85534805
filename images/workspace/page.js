// Runs in VS Code's page from its first moment. First, ports: on *.localhost their host is below the workspace's host, which makes them
// same-site; the template that the server put into the page is for other domains.
(() => {
  const meta = document.getElementById('vscode-workbench-web-configuration');
  const options = JSON.parse(meta.getAttribute('data-settings'));
  const product = options.productConfiguration;
  // In two parts, because VS Code's server replaces everything in double braces in its page.
  const template = (separator) => '//{' + '{port}}' + separator + '{' + '{host}}/';
  if (!location.hostname.endsWith('.localhost') || product?.proxyEndpointTemplate !== template('--')) return;
  product.proxyEndpointTemplate = template('.');
  meta.setAttribute('data-settings', JSON.stringify(options));
})();
// Then, until the web extension (extension/healer.js) takes over: a page whose server was replaced while the page was loading starts no
// extensions and would wait for ever. Reloading is enough, because during a move nothing is typed here: only the extension carries unsaved
// text over the switch, and VS Code backs it up after some seconds.
(() => {
  let known; // generation of the server from which this page comes; '': it was gone at the first request
  let watching = true;
  const handover = new BroadcastChannel('swarm-workspace');
  const notice = document.createElement('dialog'); // a modal one takes the focus, and all input
  notice.addEventListener('cancel', (event) => event.preventDefault()); // the Escape key
  const holdBack = (move) => {
    if (!move === !notice.isConnected) return;
    if (move) {
      notice.textContent = `This workspace is moving to ${move.to}. You can type here as soon as VS Code has loaded.`;
      document.body.append(notice);
      notice.showModal();
    } else {
      notice.close();
      notice.remove();
    }
  };
  const end = () => { watching = false; handover.close(); holdBack(undefined); };
  const follow = (generation) => {
    known ??= generation;
    if (known === generation) return;
    end(); // on a slow line the page takes long, and a second request would start over
    location.reload();
  };
  const poll = async () => {
    try {
      const answer = await fetch('/.swarm/status', { cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(20_000) });
      if (!watching) return; // the extension has taken over and reports the status
      if (answer.ok) {
        const status = await answer.json();
        if (status.ready) follow(status.generation);
        else known ??= '';
        if (watching) holdBack(status.moving);
      } else if (answer.status < 500) {
        end(); // not behind our gateway; or signed out or deleted, which the gateway's own page reports
        return known === undefined ? undefined : location.reload();
      }
    } catch (error) {
      if (error instanceof SyntaxError) return end(); // not our gateway's response
      // A missing response proves nothing about VS Code: a slow line may be busy with the page itself.
    }
    if (watching) setTimeout(poll, 1000);
  };
  // The extension sends the generation of its server. That of another tab may arrive too; then this tab's own usually follows in a moment.
  handover.onmessage = ({ data }) => { follow(data); end(); };
  poll();
})();
// Then, a tab that is signed out or whose workspace was deleted: the extension says so, but VS Code covers a tab without a server with a
// dialog, "Attempting to reconnect", 40 s after the last byte. Closing it makes it a notification, and the tab stays readable.
(() => {
  const dialog = '.monaco-dialog-modal-block:has(.monaco-dialog-box .codicon-loading)';
  const style = document.createElement('style');
  style.textContent = dialog + ' { display: none }';
  const close = () => document.querySelector(dialog + ' .codicon-dialog-close')?.click();
  const observer = new MutationObserver(close);
  new BroadcastChannel('swarm-workspace-closed').onmessage = ({ data: closed }) => {
    observer.disconnect();
    style.remove();
    if (!closed) return;
    document.head.append(style);
    observer.observe(document.querySelector('.monaco-workbench') ?? document.body, { childList: true });
    close();
  };
})();
