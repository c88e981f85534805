// Names below localhost are loopback for Node, too, as they are for browsers.
import dns from 'node:dns';

const lookup = dns.lookup;
dns.lookup = (name, options, done) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, options, done);
