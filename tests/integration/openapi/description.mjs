// An OpenAPI document as the judge of what a server sends: by operation, status and content type.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.SWARM_TEST_MODULES}/`);
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

/// Objects of responses say no more than is written, which holds for this server; clients must bear more.
function close(value, name) {
  if (Array.isArray(value)) return value.map((element) => close(element));
  if (value === null || typeof value !== 'object') return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, close(member, key)]));
  const open = name === 'LogEvent' || name === 'OpenApiDocument';
  if (copy.type === 'object' && copy.properties && !('additionalProperties' in copy) && !open) copy.additionalProperties = false;
  return copy;
}

export class Description {
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(this.ajv);
    for (const format of ['int64', 'password', 'binary']) this.ajv.addFormat(format, true);
    this.ajv.addSchema({ components: { ...document.components, schemas: Object.fromEntries(
      Object.entries(document.components.schemas).map(([name, schema]) => [name, close(schema, name)])) } }, 'api');
    this.operations = new Map();
    for (const [path, item] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(item))
        this.operations.set(operation.operationId, { ...operation, path, method: method.toUpperCase() });
    this.seen = new Map([...this.operations.keys()].map((id) => [id, new Set()]));
  }

  resolve(part) {
    if (!part?.$ref) return part;
    return part.$ref.slice(2).split('/').reduce((at, key) => at[key.replaceAll('~1', '/')], this.document);
  }

  /// What is wrong with `value`, as text; empty: nothing.
  faults(schema, value) {
    const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/'));
    const validate = this.ajv.compile(rooted);
    return validate(value) ? '' : this.ajv.errorsText(validate.errors, { separator: '\n' });
  }
  faultsOf(name, value) { return this.faults({ $ref: `#/components/schemas/${name}` }, value); }

  /// How many examples of responses there are, all of them right.
  judgeExamples() {
    let judged = 0;
    const judge = (name, example) => {
      const faults = this.faultsOf(name, example);
      if (faults) throw new Error(`the example of ${name}: ${faults}`);
      ++judged;
    };
    for (const [name, { examples = [] }] of Object.entries(this.document.components.schemas)) for (const example of examples) judge(name, example);
    for (const { content } of Object.values(this.document.components.responses)) judge('Problem', content['application/problem+json'].example);
    return judged;
  }

  bodyOf(id) {
    const [type, media] = Object.entries(this.operations.get(id).requestBody?.content ?? {})[0] ?? [];
    return { type, ...media };
  }

  /// Throws when a response is not as the document says. `text`: its body.
  judge(id, status, headers, text) {
    const operation = this.operations.get(id);
    this.seen.get(id).add(status);
    const described = this.resolve(operation.responses[status] ?? operation.responses.default);
    const where = `${id} ${status}`;
    if (status < 400 && !operation.responses[status]) throw new Error(`${where}: the status is not described`);
    for (const name of Object.keys(described.headers ?? {})) {
      const optional = ['Retry-After', 'Accept-Encoding', 'Accept-Patch', 'Idempotency-Replayed'].includes(name) || (id === 'migrateInstance' && name === 'ETag');
      const value = headers.get(name);
      if (value === null && !optional) throw new Error(`${where}: header ${name} is missing`);
      const schema = this.resolve(described.headers[name]).schema;
      const typed = schema.type === 'integer' ? Number(value) : value;
      const faults = value === null ? '' : this.faults(schema, typed);
      if (faults) throw new Error(`${where}: header ${name}: ${faults}`);
    }
    if (!described.content) {
      if (text) throw new Error(`${where}: a body that is not described: ${text}`);
      return;
    }
    const type = headers.get('content-type');
    const media = described.content[type];
    if (!media) throw new Error(`${where}: content type ${type} is not described`);
    const lines = media.schema.contentSchema && type === 'application/x-ndjson' ? text.trim().split('\n').filter(Boolean) : null;
    const faults = lines ? lines.map((line) => this.faults(media.schema.contentSchema, JSON.parse(line))).join('')
      : this.faults(media.schema, type.endsWith('json') ? JSON.parse(text) : text);
    if (faults) throw new Error(`${where}: ${faults}\n${text}`);
  }
}
