// Sends known numbers with Debian's node-lynx: lynx.js HOST PORT
const Lynx = require('lynx');

const client = new Lynx(process.argv[2], Number(process.argv[3]), {
  scope: 'node',
  on_error: (error) => { if (error.message !== 'Nothing to send') throw error; },
});
for (let number = 0; number < 50; number += 1) {
  client.increment('svc.calls');
  client.decrement(['svc.left', 'svc.less']);
  client.count('svc.bytes', number);
  client.timing('svc.took', number + 0.5);
  client.set('svc.users', number % 7);
}
client.gauge('svc.level', 12.5);
client.send({ 'svc.depth': '7|g', 'svc.words': '3|c', 'svc.spread': '5|ms' });
client.gauge('svc.depth', '+3');
client.gauge('svc.depth', -1);
for (let number = 0; number < 100; number += 1) client.increment('svc.sampled', 0.5);
setTimeout(() => client.close(), 200);
