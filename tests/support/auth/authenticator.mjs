// The app of a user (RFC 6238), written for the tests.
import crypto from 'node:crypto';

export class Authenticator {
  constructor(base32) {
    const bits = [...base32].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
    this.key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    this.step = Math.floor(Date.now() / 30000);
  }

  /// The code of a step after the one in which the app was set up: the server accepts the next one, too.
  code(later = 0) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(this.step + later));
    const mac = crypto.createHmac('sha1', this.key).update(counter).digest();
    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
  }
}
