// Runs inside the fences and tries, with Node's own means, what a fenced child must not be able to do.
// Prints one line of JSON: what was allowed and what refused. The parent counts a missing key as allowed.
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';

const { parentPid, outsideFile, outsideFolder, tcpPort, unixPath, environment } = JSON.parse(process.argv[2]);
const checks = {};

async function attempt(name, act) {
  try {
    await act();
    checks[name] = 'allowed';
  } catch {
    checks[name] = 'refused';
  }
}

const connect = (where) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(where, () => resolve(socket.destroy()));
    socket.on('error', reject);
  });

await attempt('read_outside', () => fs.readFileSync(outsideFile));
await attempt('list_outside', () => fs.readdirSync(outsideFolder));
await attempt('write_outside', () => fs.writeFileSync(`${outsideFolder}/written-by-the-probe`, 'x'));
await attempt('truncate_outside', () => fs.truncateSync(outsideFile, 1));
await attempt('chmod_outside', () => fs.chmodSync(outsideFile, 0o666));
await attempt('parent_environ', () => fs.readFileSync(`/proc/${parentPid}/environ`));
await attempt('parent_memory', () => fs.closeSync(fs.openSync(`/proc/${parentPid}/mem`, 'r')));
await attempt('signal_parent', () => process.kill(parentPid, 0));
await attempt('tcp_connect', () => connect({ host: '127.0.0.1', port: tcpPort }));
await attempt(
  'tcp_listen',
  () =>
    new Promise((resolve, reject) => {
      const server = net.createServer().on('error', reject);
      server.listen(0, '127.0.0.1', () => server.close(resolve));
    }),
);
await attempt(
  'udp_socket',
  () =>
    new Promise((resolve, reject) => {
      const socket = dgram.createSocket('udp4').on('error', reject);
      socket.bind(0, '127.0.0.1', () => socket.close(resolve));
    }),
);
await attempt('unix_connect', () => connect({ path: unixPath }));
await attempt('spawn_process', () => {
  const { error } = spawnSync('/bin/true');
  if (error) throw error;
});
// macOS puts a name of its own into every process.
const strays = Object.keys(process.env).filter(
  (name) => !environment.includes(name) && !name.startsWith('__CF'),
);
checks.foreign_environment = strays.length === 0 ? 'refused' : 'allowed';

process.stdout.write(`${JSON.stringify(checks)}\n`);
