import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { hostToShow, readLink } from '../../widget/src/links.js';

describe('addresses that may be followed', () => {
  for (const [address, href, host] of [
    ['https://shop.example/a?b=c#d', 'https://shop.example/a?b=c#d', 'shop.example'],
    ['http://shop.example', 'http://shop.example/', 'shop.example'],
    ['HTTPS://SHOP.example/A', 'https://shop.example/A', 'shop.example'],
    ['https://shop.example:8443/', 'https://shop.example:8443/', 'shop.example'],
    ['https://192.0.2.1/', 'https://192.0.2.1/', '192.0.2.1'],
    ['https://[2001:db8::1]/', 'https://[2001:db8::1]/', '[2001:db8::1]'],
    ['https://bücher.example', 'https://xn--bcher-kva.example/', 'xn--bcher-kva.example'],
    ['https://shop.example/退货', 'https://shop.example/%E9%80%80%E8%B4%A7', 'shop.example'],
    ['mailto:help@Shop.example?subject=a', 'mailto:help@Shop.example?subject=a', 'shop.example'],
    ['mailto:', 'mailto:', ''],
    ['tel:+49-30-123', 'tel:+49-30-123', ''],
    [' https://shop.example ', 'https://shop.example/', 'shop.example'],
    ['ht\ntps://sh\top.example', 'https://shop.example/', 'shop.example'],
    ['https://shop\u200b.example\u202e', 'https://shop.example/', 'shop.example'],
    ['https:shop.example', 'https://shop.example/', 'shop.example'],
  ]) {
    test(JSON.stringify(address), () => assert.deepEqual(readLink(address), { href, host }));
  }
});

describe('addresses that may not', () => {
  for (const address of [
    '', ' ', '#top', '/returns', 'returns', './a', '../a', '//evil.example', '?q', 'https://', 'https://%',
    'http://a b:c',
    'javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)',
    'java\tscript:alert(1)',
    'java\0script:alert(1)', '\x01javascript:alert(1)', 'javascript\u200b:alert(1)', '\u202ejavascript:alert(1)',
    'javascript&colon;alert(1)', 'javascript%3Aalert(1)', 'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)', 'file:///etc/passwd', 'blob:https://a.example/b', 'about:blank',
    'view-source:https://a.example',
    'ftp://a.example', 'ws://a.example', 'sms:+1', 'intent://a#Intent;end', 'filesystem:https://a.example/b',
    'ms-settings:', 'chrome://settings', 'feed:javascript:alert(1)', 'jar:https://a.example!/', 'x:alert(1)',
    'https://bank.example@evil.example', 'https://user:pass@shop.example', 'https://:pass@shop.example',
    'https:\\\\bank.example@evil.example',
  ]) {
    test(JSON.stringify(address), () => assert.equal(readLink(address), null));
  }
});

describe('the host is shown', () => {
  for (const [text, host, shown] of [
    ['our shop', 'shop.example', false],
    ['shop.example', 'shop.example', false],
    ['https://shop.example/a', 'shop.example', false],
    ['SHOP.example', 'shop.example', false],
    ['www.shop.example', 'shop.example', false],
    ['shop.example', 'www.shop.example', false],
    ['a@shop.example', 'shop.example', false],
    ['version 2.0', 'shop.example', false],
    ['bank.example', 'evil.example', true],
    ['https://bank.example/evil.example', 'evil.example', true],
    ['bank.example.evil.example', 'evil.example', true],
    ['BANK.example', 'evil.example', true],
    ['bank\u3002example', 'evil.example', true],
    ['bank\uff0eexample', 'evil.example', true],
    ['log in at bank.example now', 'evil.example', true],
    ['our shop', 'xn--bcher-kva.example', true],
    ['bücher.example', 'xn--bcher-kva.example', true],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', false],
    ['our shop', `${'a'.repeat(40)}.example`, true],
    ['call us', '', false],
    ['bank.example', '', false],
  ]) {
    test(`${JSON.stringify(text)} for ${host}: ${shown}`, () => {
      assert.equal(hostToShow(text, host), shown ? host : '');
    });
  }
});
