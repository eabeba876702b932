import { describe, expect, test } from 'vitest';
import { NO_GRANT, parseGrant } from './index.ts';

describe('a grant', () => {
  test('has a short form and a long one', () => {
    const grant = parseGrant({
      secrets: {
        A: ['API.test', 'b.test:8443', 'c.test:443'],
        B: {
          origins: ['https://api.test'],
          in: ['Header:Authorization', 'query:Key', 'path', 'body'],
          answers: 'shown',
        },
      },
      hosts: ['Api.test', '127.0.0.1:8080'],
      methods: ['get', 'POST'],
    });
    expect(grant.secrets.get('A')).toEqual({
      origins: ['https://api.test', 'https://b.test:8443', 'https://c.test'],
      in: undefined,
      showAnswers: false,
    });
    expect(grant.secrets.get('B')).toEqual({
      origins: ['https://api.test'],
      in: ['header:authorization', 'query:Key', 'path', 'body'],
      showAnswers: true,
    });
    expect(grant).toMatchObject({ hosts: ['api.test', '127.0.0.1:8080'], methods: ['GET', 'POST'] });
  });

  test('of nothing grants nothing', () => {
    const { secrets, hosts, methods } = parseGrant({});
    expect([secrets.size, hosts, methods]).toEqual([0, [], []]);
    expect([NO_GRANT.secrets.size, NO_GRANT.hosts, NO_GRANT.methods]).toEqual([0, [], []]);
  });

  test.each<[string, unknown]>([
    ['a list', []],
    ['an unknown member', { host: ['a.test'] }],
    ['a name in lower case', { secrets: { a: ['a.test'] } }],
    ['a prototype for a name', JSON.parse('{"secrets":{"__proto__":["a.test"]}}')],
    ['a host that is an address of a page', { hosts: ['https://a.test/'] }],
    ['a host with a star', { hosts: ['*.test'] }],
    ['a host with a user', { hosts: ['me@a.test'] }],
    ['an empty host', { hosts: [''] }],
    ['a port that is none', { hosts: ['a.test:99999'] }],
    ['an origin over http', { secrets: { A: { origins: ['http://a.test'] } } }],
    ['an origin with a path', { secrets: { A: { origins: ['https://a.test/x'] } } }],
    ['a place that is none', { secrets: { A: { origins: [], in: ['host'] } } }],
    ['places that are a text', { secrets: { A: { origins: [], in: 'body' } } }],
    ['answers that are something else', { secrets: { A: { origins: [], answers: true } } }],
    ['a method that scripts do not have', { methods: ['CONNECT'] }],
    ['a method that is no text', { methods: [1] }],
    ['a field that is a pattern', { hidden_fields: ['(a+)+$'] }],
  ])('with %s is none', (_what, data) => {
    expect(() => parseGrant(data)).toThrow(expect.objectContaining({ code: 'grant_invalid' }) as Error);
  });
});
