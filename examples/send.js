#!/usr/bin/env node
// Sends an event by UDP: send.js Product.42 revenue=12.5 sales=1 --tag country=US --tag geo='US>CA'
//
// HAILWHALE_UDP_HOST and HAILWHALE_UDP_PORT name the agent. UDP does not say what arrives. Node's standard library.
'use strict';

const dgram = require('node:dgram');
const net = require('node:net');

/** One part of a name as a line writes it. */
function escaped(part) {
  return part.replace(/[%.:|,#=>@/]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** An event's line. `subject` is a list of parts, `metrics` an object, `tags` an object of lists of parts. */
function line(subject, metrics, tags = {}) {
  const named = Object.keys(metrics).length > 0 ? metrics : { hits: 1 };
  const values = Object.entries(named).map(([metric, value]) => `${escaped(metric)}=${value}`);
  const text = `${subject.map(escaped).join('.')}:${values.join(':')}|c`;
  const paths = Object.entries(tags).map(([name, path]) => `${escaped(name)}:${path.map(escaped).join('>')}`);
  return paths.length > 0 ? `${text}|#${paths.join(',')}` : text;
}

function pair(word) {
  const split = word.indexOf('=');
  if (split < 1) {
    console.error(`${JSON.stringify(word)} is not NAME=VALUE`);
    process.exit(64);
  }
  return [word.slice(0, split), word.slice(split + 1)];
}

function main(words) {
  const metrics = {};
  const tags = {};
  let subject;
  while (words.length > 0) {
    const word = words.shift();
    if (word === '--tag') {
      const [name, value] = pair(words.shift() ?? '');
      tags[name] = value.split('>');
    } else if (subject === undefined) {
      subject = word;
    } else {
      const [name, value] = pair(word);
      metrics[name] = value;
    }
  }
  if (subject === undefined) {
    console.error('usage: send.js SUBJECT [METRIC=NUMBER]... [--tag NAME=VALUE]...');
    process.exit(64);
  }
  const text = line(subject.split('.'), metrics, tags);
  const host = process.env.HAILWHALE_UDP_HOST ?? '127.0.0.1';
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  socket.send(text, Number(process.env.HAILWHALE_UDP_PORT ?? 8125), host, (error) => {
    socket.close();
    if (error) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      console.log(text);
    }
  });
}

if (require.main === module) main(process.argv.slice(2));

module.exports = { escaped, line };
