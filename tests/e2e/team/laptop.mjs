// A person's own machine: a home, the command line with its own sign-in, and OpenSSH.
import fs from 'node:fs';
import path from 'node:path';
import { Programs } from '../ssh/programs.mjs';
import { waitFor } from '../workspace/server.mjs';

export class Laptop extends Programs {
  constructor(server, owner) {
    const home = path.join(server.folder, owner);
    const environment = {
      ...server.environment,
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, '.config'),
      XDG_DATA_HOME: path.join(home, '.local'),
      DISPLAY: '',
      WAYLAND_DISPLAY: '',
    };
    delete environment.SSH_AUTH_SOCK;
    super(environment);
    this.server = server;
    this.home = home;
    this.ssh = path.join(home, '.ssh');
    fs.mkdirSync(this.ssh, { recursive: true, mode: 0o700 });
  }

  swarm(...words) { return this.run(this.server.swarm, words, { seconds: 240 }); }

  /// `swarm login URL` prints a code, as this machine has no desktop; its owner types it in `page`, where they are signed in.
  async signIn(page) {
    const login = this.keep(this.server.swarm, ['login', this.server.url]);
    const code = await waitFor('the command line printed a code', () => /code ([B-Z]{4}-[B-Z]{4})/.exec(login.text)?.[1]);
    await page.goto(`${this.server.url}/login/device`);
    await page.fill('input[name=code]', code);
    await page.click('button[type=submit]');
    await page.click('button[value=approve]');
    await page.waitForSelector('text=The program is signed in');
    return { code: await login.ended, text: login.text };
  }

  /// ssh and scp look up the home of their user and not $HOME, so they get the file as an argument.
  openSsh(program, ...words) { return this.run(program, ['-F', path.join(this.ssh, 'config'), ...words], { seconds: 120 }); }

  /// Puts a host `web1` before the block of `swarm config-ssh`, which is reached through the SSH listener. `hostKey` is that of the listener.
  addJump(hostKey) {
    const config = path.join(this.ssh, 'config');
    const [alias] = hostKey.split(' ');
    fs.writeFileSync(config, `Host swarm-jump
  HostName 127.0.0.1  # the system's resolver does not know *.localhost
  HostKeyAlias ${alias}
Host web1
  User coder
  ProxyJump swarm-jump
  HostKeyAlias web1.swarm
  UserKnownHostsFile ${path.join(this.home, '.config', 'swarm', 'ssh', 'known_hosts')}
  StrictHostKeyChecking yes
Host swarm-jump web1
  IdentityFile ${path.join(this.ssh, 'id_ed25519')}
  IdentitiesOnly yes
Match all
${fs.readFileSync(config, 'utf8')}`);
  }
}
