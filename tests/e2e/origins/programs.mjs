// Programs that run inside the workspaces of these tests, and a client that is not a browser.
import http from 'node:http';

/// Ports 3000 (pages), 8000 (an API that reports the requests it received) for a workspace's command.
export const portPrograms = `
const http = require('http');
let preflights = 0;
const reached = [];
http.createServer((request, response) => {
  if (request.url === '/worker.js' || request.url === '/kept') response.setHeader('Cache-Control', 'max-age=31536000, immutable');
  if (request.url === '/worker.js') {
    response.setHeader('Content-Type', 'text/javascript');
    return response.end(\`
      self.addEventListener('install', () => self.skipWaiting());
      self.addEventListener('fetch', (event) => {
        const { pathname } = new URL(event.request.url);
        if (pathname === '/mine') event.respondWith(new Response('<title>OWNED</title>', { headers: { 'Content-Type': 'text/html' } }));
      });\`);
  }
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><title>pages</title><h1 id="port">pages of ' + request.headers.host + '</h1>');
}).listen(3000, '127.0.0.1');
const api = http.createServer((request, response) => {
  const origin = request.headers.origin;
  if (origin) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Credentials', 'true');
  }
  if (request.method === 'OPTIONS') {
    ++preflights;
    response.setHeader('Access-Control-Allow-Methods', 'PUT, POST');
    response.setHeader('Access-Control-Allow-Headers', 'content-type');
    response.writeHead(204);
    return response.end();
  }
  if (request.url === '/reached') return response.end(JSON.stringify({ reached, preflights }));
  reached.push(request.method + ' ' + request.url);
  response.end(JSON.stringify({ method: request.method, cookie: request.headers.cookie || '' }));
});
api.on('upgrade', (request, socket) => { reached.push('UPGRADE ' + request.url); socket.end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n'); });
api.listen(8000, '127.0.0.1');
`;
export const node = '/opt/swarm/node/bin/node';

/// What a workspace's owner may put in the place of VS Code: pages and service workers of their own.
export const otherVscode = `#!/bin/sh
socket=
while [ $# -gt 0 ]; do
  case $1 in --socket) socket=$2 ;; esac
  shift
done
exec ${node} -e "
const http = require('http');
const worker = 'self.addEventListener(\\'fetch\\', (event) => event.respondWith(new Response(\\'<title>OWNED</title>\\', {headers: {\\'Content-Type\\': \\'text/html\\'}})));';
http.createServer((request, response) => {
  const isScript = /js($|\\\\?)/.test(request.url);
  response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
  response.setHeader('Service-Worker-Allowed', '/');
  response.end(isScript ? worker : '<title>other</title>');
}).listen(process.argv[1]);
" "$socket"
`;

/// A request without a browser, by way of 127.0.0.1 whatever the host; { status, headers, cookies, text }.
export function send(port, host, path, { method = 'GET', headers = {}, body = '' } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, method, headers: { Host: `${host}:${port}`, ...headers } }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, text,
        cookies: (response.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]),
      }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/// page.goto(), again when a container's network came or went just then (Chromium gives up what is under way), or when the page of before was
/// still on its way elsewhere.
export async function go(page, url) {
  for (;;) {
    try {
      return await page.goto(url, { timeout: 120000 });  // a slow machine still starts extensions of the page before
    } catch (error) {
      if (!/ERR_NETWORK_CHANGED|chrome-error|interrupted by another navigation/.test(error.message)) throw error;
    }
  }
}
