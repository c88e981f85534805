// Runs in VS Code's page from its first moment. First, ports: on *.localhost they stand below their workspace's host, which makes them a
// part of its site there; what the server put into the page is for a domain of one's own.
(() => {
  const meta = document.getElementById('vscode-workbench-web-configuration');
  const options = JSON.parse(meta.getAttribute('data-settings'));
  const product = options.productConfiguration;
  // In two parts: VS Code's server fills in whatever stands in two braces in its page.
  const template = (separator) => '//{' + '{port}}' + separator + '{' + '{host}}/';
  if (!location.hostname.endsWith('.localhost') || product?.proxyEndpointTemplate !== template('--')) return;
  product.proxyEndpointTemplate = template('.');
  meta.setAttribute('data-settings', JSON.stringify(options));
})();
// Then, until the web extension (extension/healer.js) is there and takes over: a page whose server was
// replaced while it was being loaded starts no extensions, and would wait for ever. Nothing has been typed yet: it reloads, and that is all.
(() => {
  let known; // generation of the server that this page comes from; '': it was gone by the first look
  let watching = true;
  const handover = new BroadcastChannel('swarm-workspace');
  const end = () => { watching = false; handover.close(); };
  const follow = (generation) => {
    known ??= generation;
    if (known === generation) return;
    end(); // on a slow line the page takes long, and to ask for it again would begin anew
    location.reload();
  };
  const look = async () => {
    try {
      const answer = await fetch('/.swarm/status', { cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(20_000) });
      if (!watching) return; // the extension has taken over in the meantime: what to say is its matter
      if (answer.ok) {
        const status = await answer.json();
        if (status.ready) follow(status.generation);
        else known ??= '';
      } else if (answer.status < 500) {
        end(); // not behind our gateway; or signed out or deleted since the last look, which the gateway's own page says
        return known === undefined ? undefined : location.reload();
      }
    } catch (error) {
      if (error instanceof SyntaxError) return end(); // not our gateway's answer
      // No answer says nothing of VS Code: a slow line is busy with the page itself, say.
    }
    if (watching) setTimeout(look, 1000);
  };
  // The extension says which server it has found. That of another tab, too: then this tab's own is a moment away, as a rule.
  handover.onmessage = ({ data }) => { follow(data); end(); };
  look();
})();
