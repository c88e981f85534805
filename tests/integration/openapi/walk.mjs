// A walk through all routes: every response and every documented request is judged by the description.
import { Authenticator } from '../../support/auth/authenticator.mjs';
import { walkGroups, walkQuotas } from './walk_groups.mjs';

export class Walk {
  constructor(description, url, token) {
    Object.assign(this, { description, url, token });
  }

  /// Sends, judges the response, and gives it: { status, headers, text, json }. `expected`: one status, several, or none in particular.
  async call(id, { path = {}, query = {}, headers = {}, body, type, token = this.token, method } = {}, expected = undefined) {
    const operation = this.description.operations.get(id);
    const target = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
    const search = new URLSearchParams(query).toString();
    const init = { method: method ?? operation.method, headers: { ...headers } };
    if (token) init.headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) {
      init.body = typeof body === 'string' ? body : JSON.stringify(body);
      init.headers['Content-Type'] = type ?? this.description.bodyOf(id).type ?? 'application/json';
    }
    const response = await fetch(this.url + target + (search ? `?${search}` : ''), init);
    const text = await response.text();
    if (init.method !== 'HEAD') this.description.judge(id, response.status, response.headers, text);
    if (expected !== undefined && ![expected].flat().includes(response.status))
      throw new Error(`${id} answered ${response.status} instead of ${expected}: ${text}`);
    const isJson = text.startsWith('{') && !response.headers.get('content-type').includes('ndjson');
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  /// As call(), and follows what was begun to its end. `cancel`: what would not end here.
  async begin(id, request, expected, cancel = false) {
    const response = await this.call(id, request, expected);
    const location = response.headers.get('operation-location');
    if (!location) return response;
    const path = { id: location.split('/').pop() };
    if (cancel) await this.call('cancelOperation', { path }, 202);
    await this.call('getOperation', { path, query: { wait: 60 } }, 200);
    return response;
  }

  /// Events until `enough` says so, each judged by its name.
  async events(enough, during) {
    const abort = new AbortController();
    const response = await fetch(`${this.url}/api/events`, { headers: { Authorization: `Bearer ${this.token}` }, signal: abort.signal });
    this.description.judge('streamEvents', response.status, response.headers, '');
    const work = during();
    const schemas = { instance: 'InstanceEvent', operation: 'Operation', share: 'ShareEvent', provider: 'ProviderEvent', log: 'LogEvent', reset: 'ResetEvent' };
    const names = [];
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body) {
      text += decoder.decode(piece, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const name = lines.find((line) => line.startsWith('event: '))?.slice(7);
        if (!name) continue;
        const faults = this.description.faultsOf(schemas[name], JSON.parse(lines.find((line) => line.startsWith('data: ')).slice(6)));
        if (faults) throw new Error(`event ${name}: ${faults}\n${lines.join('\n')}`);
        names.push(name);
      }
      if (enough(names)) break;
    }
    abort.abort();
    await work;
    return names;
  }
}

async function walkInstances(walk) {
  const wait = { wait: 30 };
  const made = (await walk.call('createInstance', { query: wait, body: { name: 'one', labels: { team: 'web' } }, headers: { 'Idempotency-Key': 'k' } }, 201)).json;
  await walk.call('createInstance', { body: { name: 'one', labels: { team: 'web' } }, headers: { 'Idempotency-Key': 'k' } }, 202);
  await walk.call('createInstance', { body: { name: 'other' }, headers: { 'Idempotency-Key': 'k' } }, 422);
  await walk.call('createInstance', { body: { name: 'one' } }, 409);
  await walk.call('createInstance', { body: { name: 1, unknown: 2 } }, 400);
  await walk.call('createInstance', { body: '{}', type: 'text/plain' }, 415);
  await walk.call('createInstance', { body: '{}', headers: { 'Content-Encoding': 'gzip' } }, 415);
  await walk.call('createInstance', { body: JSON.stringify({ name: 'x'.repeat(2 << 20) }) }, 413);
  const id = made.id;
  const path = { id };
  await walk.call('listInstances', { query: { 'label[team]': 'web', 'limit': 1 } }, 200);
  await walk.call('listInstances', { query: { fields: 'id,config.name,network.ports' } }, 200);
  await walk.call('listInstances', { query: { status: 'dead' } }, 400);
  await walk.call('getInstance', { path }, 200);
  await walk.call('getInstance', { path, query: { fields: 'config.resources.cpu,url' } }, 200);
  await walk.call('getInstance', { path: { id: 'nothing' } }, 404);
  await walk.call('getInstance', { path, token: 'garbage' }, 401);
  await walk.call('updateInstance', { path, query: wait, body: { resources: { memory: { max: 2048 } } }, headers: { 'If-Match': '"v1"' } }, 200);
  await walk.call('updateInstance', { path, body: { labels: {} }, headers: { 'If-Match': '"v1"' } }, 412);
  await walk.begin('updateInstance', { path, body: { env: { A: '1' } } }, 202);
  await walk.call('patchInstance', { path, query: wait, body: { env: null, labels: { team: null } } }, 200);
  for (const verb of ['stopInstance', 'startInstance', 'restartInstance']) await walk.call(verb, { path, query: wait }, 200);
  await walk.call('stopInstance', { path, headers: { 'If-Match': 'W/"v1"' } }, 412);
  await walk.call('migrateInstance', { path, body: { region: 'fra', dryRun: true } });
  await walk.begin('migrateInstance', { path, body: { region: 'fra' } });
  return made;
}

async function walkInside(walk, id) {
  const path = { id };
  await walk.call('executeCommand', { path, body: { command: ['echo', 'hi'] } }, 200);
  await walk.call('getResourceUsage', { path }, 200);
  await walk.call('getResourceUsage', { path, query: { from: '2026-01-01T00:00:00Z', step: 86400 } }, 200);
  await walk.call('getResourceUsage', { path, query: { from: 'soon' } }, 400);
  await walk.call('listUsage', { query: { limit: 1 } }, 200);
  await walk.call('getNetworkInfo', { path }, 200);
  await walk.call('getInstanceAccess', { path }, 200);
  await walk.call('issueInstanceToken', { path, body: { scope: 'port' } }, 200);
  await walk.call('issueInstanceToken', { path, body: { scope: 'root' } }, 400);
  await walk.call('readLogs', { path, query: { tail: 3 } });
  await walk.call('readLogs', { path, query: { format: 'ndjson' } });
  await walk.call('openExec', { path }, 426);
  await walk.call('openPort', { path: { id, port: 80 } }, 426);
  await walk.call('openSsh', { path }, 426);
  // The fake provider's instances have no agent that packs and unpacks.
  await walk.call('exportInstance', { path });
  await walk.call('importInstance', { path, body: 'no archive' });
}

async function walkSharing(walk, id) {
  const path = { id, user: 'rita' };
  await walk.call('createUser', { body: { name: 'rita' } }, 201);
  await walk.call('putShare', { path, body: { access: 'editor', expiresAt: '2126-01-01T00:00:00Z' } }, 200);
  await walk.call('putShare', { path, body: { access: 'owner' } }, 400);
  await walk.call('putShare', { path: { id, user: 'absent' }, body: {} }, 400);
  const { items } = (await walk.call('listShares', { path }, 200)).json;
  if (items.length !== 1 || items[0].user !== 'rita') throw new Error(`shares: ${JSON.stringify(items)}`);
  await walk.call('deleteShare', { path }, 204);
  await walk.call('deleteShare', { path }, 404);
  await walkGroups(walk, id);
  await walkQuotas(walk);
  const port = { id, port: 3000 };
  await walk.call('putPort', { path: port, body: { level: 'public', expiresAt: new Date(Date.now() + 3600_000).toISOString() } }, 200);
  await walk.call('putPort', { path: port, body: { level: 'public' } }, 400);
  const { items: ports } = (await walk.call('listPorts', { path }, 200)).json;
  if (ports.length !== 1 || ports[0].port !== 3000) throw new Error(`ports: ${JSON.stringify(ports)}`);
  await walk.call('deletePort', { path: port }, 204);
  await walk.call('handOver', { path, body: { owner: 'absent' } }, 400);
  await walk.call('handOver', { path, body: { owner: 'rita' }, headers: { 'If-Match': '"v9999"' } }, 412);
  for (const owner of ['rita', 'admin']) await walk.call('handOver', { path, body: { owner } }, 200);
}

async function walkKept(walk, id) {
  const path = { id };
  // Without an agent nothing can be frozen.
  await walk.begin('takeSnapshot', { path, body: { name: 'first' } }, 202, true);
  await walk.call('listInstanceSnapshots', { path }, 200);
  await walk.call('restoreSnapshot', { path, query: { wait: 30 }, body: { snapshot: 'first' } });
  const { items } = (await walk.call('listSnapshots', {}, 200)).json;
  await walk.call('deleteSnapshot', { path: { snapshot: items[0]?.id ?? 'none' } });
  await walk.call('deleteInstance', { path, headers: { 'If-Match': '"v9999"' } }, 412);
  await walk.call('deleteInstance', { path, query: { wait: 30 } }, 200);
  const volumes = (await walk.call('listVolumes', {}, 200)).json.items;
  await walk.call('deleteVolume', { path: { name: volumes[0].name } }, 204);
  await walk.call('deleteVolume', { path: { name: volumes[0].name } }, 404);
}

async function walkSwarm(walk, made, password) {
  await walk.call('listOperations', { query: { limit: 2 } }, 200);
  await walk.call('getOperation', { path: { id: made.operationId }, query: { wait: 5 } }, 200);
  await walk.call('getOperation', { path: { id: 'op-none' } }, 404);
  await walk.call('cancelOperation', { path: { id: made.operationId } }, 409);
  const newest = (await walk.call('listAudit', { query: { limit: 2 } }, 200)).json.items[0];
  await walk.call('listAudit', { query: { since: 'yesterday' } }, 400);
  await walk.call('exportAudit', { query: { user: 'admin' } }, 200);
  await walk.call('verifyAudit', {}, 200);
  const verified = await walk.call('verifyAudit', { query: { sequence: newest.sequence, hash: newest.hash } }, 200);
  if (!verified.json.intact) throw new Error(`audit: ${JSON.stringify(verified.json)}`);
  await walk.call('verifyAudit', { query: { sequence: 1 } }, 400);
  await walk.call('listProviders', {}, 200);
  await walk.call('getProvider', { path: { type: 'fake' } }, 200);
  await walk.call('getProvider', { path: { type: 'docker' } }, 404);
  await walk.call('validateProvider', { path: { type: 'fake' } }, 200);
  const ofFake = { path: { type: 'fake' } };
  const stored = (await walk.call('setProviderToken', { ...ofFake, body: { token: 's3cret' } }, 200)).text;
  if (stored.includes('s3cret')) throw new Error(`the token: ${stored}`);
  await walk.call('setProviderToken', { ...ofFake, body: { token: '' } }, 400);
  await walk.call('setProviderToken', { ...ofFake, query: { force: true }, body: { token: 'refused' } }, 422);
  await walk.call('setProviderToken', { path: { type: 'docker' }, body: { token: 's3cret' } }, 404);
  await walk.call('listProviders', {}, 200);
  await walk.call('removeProviderToken', ofFake, 200);
  await walk.call('getSwarmStatus', {}, 200);
  for (const id of ['health', 'ready', 'metrics', 'version', 'openapi', 'authStatus']) await walk.call(id, {}, 200);
  await walk.call('health', { query: { unknown: 1 } }, 400);
  await walk.call('askTls', { query: { domain: 'swarm.localhost' } }, 200);
  await walk.call('askTls', { query: { domain: 'example.com' } }, 404);
  await walk.call('getGitIdentity', {}, 200);
  await walk.call('setGitIdentity', { body: { name: 'Ada', email: 'ada@example.com' } }, 200);
  await walk.call('setGitIdentity', { body: { name: 7 } }, 400);
  const login = (await walk.call('login', { body: { user: 'admin', password }, token: null }, 200)).json;
  await walk.call('login', { body: { user: 'admin' }, token: null }, 400);
  await walk.call('createLoginLink', { body: { instance: 'dev' } }, 201);
  const sessions = (await walk.call('listSessions', {}, 200)).json.items;
  const second = (await walk.call('login', { body: { user: 'admin', password }, token: null }, 200)).json;
  const begun = (await walk.call('listSessions', {}, 200)).json.items.find(({ id }) => !sessions.some((known) => known.id === id));
  await walk.call('endSession', { path: { session: begun.id } }, 204);
  await walk.call('endSession', { path: { session: begun.id } }, 404);
  await walk.call('authStatus', { token: second.token }, 401);
  const { token } = (await walk.call('refreshToken', { token: login.token }, 200)).json;
  await walk.call('authStatus', { token }, 200);
  await walk.call('rotateSigningKey', {}, 201);
  const { items: keys } = (await walk.call('listSigningKeys', {}, 200)).json;
  const { keys: published } = (await walk.call('publicKeys', { token: null }, 200)).json;
  if (keys.length !== 2 || keys.some(({ id }, index) => id !== published[index].kid)) throw new Error(`keys: ${JSON.stringify(keys)}`);
  await walk.call('loginProgram', { body: { code: 'c', verifier: 'v' }, token: null }, 422);
  const { deviceCode } = (await walk.call('beginDeviceLogin', { token: null }, 201)).json;
  await walk.call('loginDevice', { body: { deviceCode }, token: null }, 204);
  await walk.call('loginDevice', { body: { deviceCode: 'unknown' }, token: null }, 422);
  const held = (await walk.call('listNameHolds', {}, 200)).json.items;
  if (held.length) await walk.call('releaseName', { path: { name: held[0].name } }, 204);
  await walk.call('releaseName', { path: { name: 'never-there' } }, 404);
  await walk.call('logout', { token: login.token }, 204);
  await walk.call('authStatus', { token: login.token }, 401);
  await walk.call('login', { method: 'DELETE' }, 405);
}

/// Of ann, whose token this is.
async function walkSecondFactor(walk, token) {
  const path = { name: 'ann' }, password = 'correct horse';
  const login = (body, expected) => walk.call('login', { body: { user: 'ann', password, ...body }, token: null }, expected);
  await walk.call('getSecondFactor', { path: { name: 'me' }, token }, 200);
  await walk.call('setUpSecondFactor', { body: { password: 'wrong horse' }, token }, 400);
  const { ticket, secret } = (await walk.call('setUpSecondFactor', { body: { password }, token }, 201)).json;
  const app = new Authenticator(secret);
  await walk.call('confirmSecondFactor', { body: { ticket, code: '000000' }, token }, 400);
  const { recoveryCodes } = (await walk.call('confirmSecondFactor', { body: { ticket, code: app.code() }, token }, 200)).json;
  await walk.call('setUpSecondFactor', { body: { password }, token }, 409);
  await login({}, 401);
  await login({ code: app.code() }, 401);
  await login({ code: app.code(1) }, 200);
  await walk.call('getSecondFactor', { path }, 200);
  await walk.call('disableSecondFactor', { body: { password, code: recoveryCodes[0] }, token }, 204);
  await walk.call('disableSecondFactor', { body: { password, code: recoveryCodes[0] }, token }, 409);
  await walk.call('resetSecondFactor', { path: { name: 'admin' } }, 409);
  await walk.call('resetSecondFactor', { path }, 204);
  await walk.call('authStatus', { token }, 401);
}

async function walkUsers(walk) {
  const path = { name: 'ann' };
  await walk.call('createUser', { body: { name: 'ann', role: 'operator' } }, 201);
  await walk.call('createUser', { body: { name: 'ann' } }, 409);
  await walk.call('createUser', { body: { name: 'Ann', role: 'viewer' } }, 400);
  await walk.call('createUser', { body: { name: 'bob', password: 'correct horse' } }, 201);
  await walk.call('listUsers', {}, 200);
  await walk.call('inviteUser', { path }, 201);
  await walk.call('getUser', { path }, 200);
  await walk.call('getUser', { path: { name: 'nothing' } }, 404);
  await walk.call('changeUser', { path, body: { role: 'auditor' } }, 200);
  await walk.call('changeUser', { path: { name: 'admin' }, body: { role: 'user' } }, 409);
  await walk.call('setPassword', { path, body: { password: 'correct horse' } }, 204);
  const { token } = (await walk.call('login', { body: { user: 'ann', password: 'correct horse' }, token: null }, 200)).json;
  await walk.call('createUser', { body: { name: 'cyd' }, token }, 403);
  await walk.call('setPassword', { path: { name: 'me' }, body: { password: 'another horse', oldPassword: 'wrong horse' }, token }, 400);
  await walkSecondFactor(walk, token);
  const { token: again } = (await walk.call('login', { body: { user: 'ann', password: 'correct horse' }, token: null }, 200)).json;
  await walk.call('authStatus', { token: again }, 200);
  const [session] = (await walk.call('listUserSessions', { path }, 200)).json.items;
  await walk.call('endUserSession', { path: { name: 'ann', session: session.id } }, 204);
  await walk.call('endUserSession', { path: { name: 'ann', session: session.id } }, 404);
  await walk.call('endUserSessions', { path }, 204);
  await walk.call('disableUser', { path }, 200);
  await walk.call('inviteUser', { path }, 409);
  await walk.call('enableUser', { path }, 200);
  await walk.call('createUser', { body: { name: 'bot', kind: 'service' } }, 201);
  await walk.call('inviteUser', { path: { name: 'bot' } }, 409);
  const made = (await walk.call('createAccessToken', { body: { name: 'ci', scopes: ['write'], owner: 'bot' } }, 201)).json;
  await walk.call('createAccessToken', { body: { name: 'ci', owner: 'bot' } }, 409);
  await walk.call('createAccessToken', { body: { name: 'ci', owner: 'bob' } }, 403);
  await walk.call('authStatus', { token: made.token }, 200);
  await walk.call('createLoginLink', { token: made.token }, 403);
  const listed = (await walk.call('listAccessTokens', {}, 200)).json.items;
  if (listed.length !== 1 || !listed[0].lastUsedAt || listed[0].token) throw new Error(`tokens: ${JSON.stringify(listed)}`);
  await walk.call('revokeAccessToken', { path: { token: made.id } }, 204);
  await walk.call('revokeAccessToken', { path: { token: made.id } }, 404);
  await walk.call('authStatus', { token: made.token }, 401);
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS me@home';
  const added = (await walk.call('addSshKey', { body: { key } }, 201)).json;
  await walk.call('addSshKey', { body: { key } }, 409);
  await walk.call('listSshKeys', {}, 200);
  await walk.call('getSshListener', {}, 200);
  await walk.call('removeSshKey', { path: { key: added.id } }, 204);
  await walk.call('removeSshKey', { path: { key: added.id } }, 404);
  await walk.call('listIdentityProviders', {}, 200);
  await walk.call('listIdentities', { path }, 200);
  await walk.call('listIdentities', { path: { name: 'nothing' } }, 404);
  await walk.call('deleteUser', { path, query: { handOverTo: 'nothing' } }, 404);
  await walk.call('deleteUser', { path, query: { handOverTo: 'bob' } }, 204);
}

/// A configuration in a request reads no file of the server, reaches no endpoint that was not allowed, and quotes no response.
async function walkCandidates(walk, { forbidden, allowed }) {
  const validate = (type, body, expected) => walk.call('validateProvider', { path: { type }, body }, expected);
  for (const body of [{ socketPath: '/var/run/docker.sock' }, { host: '127.0.0.1', port: forbidden.port, socketPath: '/x' },
    { host: '127.0.0.1', port: allowed.port, tls: { ca: '/etc/passwd' } }, {}]) await validate('docker', body, 400);
  for (const body of [{ apiTokenFile: '/etc/hostname', apiBaseUrl: forbidden.url }, { apiToken: 't', caFile: '/etc/passwd' },
    { apiToken: 't', apiBaseUrl: 'file:///etc/passwd' }, { apiToken: 't', ca: '/etc/passwd' }]) await validate('flyio', body, 400);
  await validate('docker', { host: '127.0.0.1', port: forbidden.port }, 422);
  await validate('docker', { host: 'localhost', port: allowed.port }, 422);
  await validate('flyio', { apiToken: 't', apiBaseUrl: forbidden.url }, 422);
  if (forbidden.requests.length) throw new Error(`an endpoint that is not allowed was reached: ${forbidden.requests}`);
  for (const { text } of [await validate('docker', { host: '127.0.0.1', port: allowed.port }, 200),
    await validate('flyio', { apiToken: 'FlyV1 fm2_abc', apiBaseUrl: allowed.url }, 200)]) {
    if (text.includes(allowed.secret)) throw new Error(`what an endpoint answered is quoted: ${text}`);
  }
  if (!allowed.requests.length) throw new Error('the endpoint that is allowed was not reached');
}

/// An example of a provider's configuration has the name of its kind.
const typeIn = (operation, example) => (operation === 'setProviderToken' ? 'fake' : example);

/// Every example is right by its schema, and the server takes it: what it names need not be there.
async function sendExamples(walk) {
  let sent = 0;
  const description = walk.description;
  await walk.call('createUser', { body: { name: 'walker' } }, 201);
  await walk.call('createGroup', { body: { name: 'walkers' } }, 201);
  const { id } = (await walk.call('createInstance', { query: { wait: 30 }, body: {} }, 201)).json;
  for (const operation of description.operations.keys()) {
    const { schema, examples = {} } = description.bodyOf(operation);
    for (const [name, { value }] of Object.entries(examples)) {
      const faults = description.faults(schema, value);
      if (faults) throw new Error(`example ${name} of ${operation}: ${faults}`);
      const response = await walk.begin(operation, { path: { id, type: typeIn(operation, name), name: 'walker', user: 'walker', group: 'walkers', port: 3000 }, body: value }, undefined, operation === 'takeSnapshot');
      const only_missing = (response.json?.errors ?? []).some(({ detail }) => detail.includes('not configured'));
      if ([400, 404, 415].includes(response.status) && !only_missing)
        throw new Error(`example ${name} of ${operation} was refused: ${response.text}`);
      ++sent;
    }
  }
  return sent;
}

const wrong = (value) => (typeof value === 'string' || Array.isArray(value) ? 7 : 'seven');

/// What the description refuses, the server refuses, and with the place: unknown members, and members of another type.
async function sendBroken(walk) {
  const description = walk.description;
  const { id } = (await walk.call('createInstance', { query: { wait: 30 }, body: {} }, 201)).json;
  let sent = 0;
  for (const operation of description.operations.keys()) {
    const { schema, examples = {} } = description.bodyOf(operation);
    for (const [name, { value }] of Object.entries(examples)) {
      const bodies = [{ ...value, unheardOf: 1 }, ...Object.keys(value).map((key) => ({ ...value, [key]: wrong(value[key]) }))];
      for (const body of bodies) {
        if (!description.faults(schema, body)) throw new Error(`${operation} takes ${JSON.stringify(body)}`);
        const response = await walk.call(operation, { path: { id, type: typeIn(operation, name), name: 'walker', user: 'walker', group: 'walkers', port: 3000 }, body }, 400);
        if (!response.json.errors?.length) throw new Error(`${operation} does not say what is wrong with ${JSON.stringify(body)}: ${response.text}`);
        ++sent;
      }
    }
  }
  await walk.begin('deleteInstance', { path: { id } }, 202);
  return sent;
}

export async function walkAll(walk, password, endpoints) {
  const made = await walkInstances(walk);
  await walkInside(walk, made.id);
  await walkSwarm(walk, made, password);
  await walkUsers(walk);
  await walkCandidates(walk, endpoints);
  const names = await walk.events((seen) => seen.includes('instance') && seen.filter((name) => name === 'operation').length > 2,
    () => walk.call('restartInstance', { path: { id: made.id }, query: { wait: 30 } }));
  await walkSharing(walk, made.id);
  await walkKept(walk, made.id);
  return { events: names.length, examples: await sendExamples(walk), broken: await sendBroken(walk) };
}
