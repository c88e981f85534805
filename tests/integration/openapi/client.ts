// What a person writes against the generated types. It is compiled strictly, and run: SWARM_URL and SWARM_TOKEN say where.
import type { components, paths } from './api';

type Schemas = components['schemas'];
type Started = paths['/api/instances']['post']['responses'][202]['content']['application/json'];
declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = { Authorization: `Bearer ${process.env.SWARM_TOKEN}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch(process.env.SWARM_URL + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  if (!answer.ok) throw new Error(((await answer.json()) as Schemas['Problem']).detail);
  return (await answer.json()) as Answer;
}

async function main(): Promise<void> {
  const smallest: Schemas['CreateInstance'] = { name: 'x' };
  // @ts-expect-error what the server does not know is refused here already
  const misspelt: Schemas['CreateInstance'] = { nmae: 'x' };
  const started: Started = await call<Started>('POST', '/api/instances?wait=30', smallest);
  const cores: number = started.config.resources.cpu.cores;
  const created: string = started.createdAt;

  // An update names what it changes, and nothing else is sent.
  const update: Schemas['UpdateInstance'] = { resources: { memory: { max: 1024 } } };
  const updated = await call<Schemas['UpdatedInstance']>('PUT', `/api/instances/${started.id}?wait=30`, update);
  const effect: 'none' | 'live' | 'restart' = updated.effect;
  const patch: Schemas['PatchInstance'] = { env: { LANG: 'C', TZ: null }, labels: null };
  await call('PATCH', `/api/instances/${started.id}?wait=30`, patch);
  const move: Schemas['MigrateInstance'] = { region: 'ams', resources: { cpu: { cores: 1 } } };

  const operation = await call<Schemas['Operation']>('GET', `/api/operations/${started.operationId}?wait=30`);
  const ended: string | null = operation.endedAt;
  if (operation.error?.code === 'not_found') process.exit(2);
  // @ts-expect-error codes are a closed list
  if (operation.error?.code === 'no_such_code') process.exit(2);
  const scope: Schemas['InstanceToken']['scope'] = 'port';

  const right = updated.config.resources.memory.max === 1024 && updated.config.resources.cpu.cores === cores && ended !== null;
  process.exit(right && created && effect && scope && move && misspelt ? 0 : 1);
}

void main();
