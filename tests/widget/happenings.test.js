import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { happeningsBetween } from '../../widget/src/extras/happenings.js';
import { applySnapshot } from '../../widget/src/snapshot.js';
import { ask, begin, connected, done, event, problem, running, token } from './actions.js';

/** All that is told while the actions happen one after the other. */
function told(...actions) {
  let state = initialState;
  return actions.flatMap((action) => {
    const before = state;
    state = reduce(state, action);
    return happeningsBetween(before, state);
  });
}

test('a question and its answer are told piece by piece, and then whole', () => {
  const pieces = [token('Hel', 0), token('lo', 3, 'e.3'), done('Hello')];
  assert.deepEqual(told(...running, ...pieces), [
    ['send', { id: 'q-r1', text: 'r1?' }],
    ['token', { id: 'a-r1', text: 'Hel', index: 0 }],
    ['token', { id: 'a-r1', text: 'lo', index: 3 }],
    ['answer', { id: 'a-r1', text: 'Hello', question: 'r1?', finishReason: 'stop' }],
  ]);
});

test('words that only the end brought are a piece of their own', () => {
  assert.deepEqual(told(...running, token('Hel', 0), done('Hello')).slice(2), [
    ['token', { id: 'a-r1', text: 'lo', index: 3 }],
    ['answer', { id: 'a-r1', text: 'Hello', question: 'r1?', finishReason: 'stop' }],
  ]);
});

test('an answer that begins anew is told from its start', () => {
  const [, , again] = told(...running, token('Hel', 0), event('reset', {}, 'e.3'), token('Bye', 0, 'e.4'));
  assert.deepEqual(again, ['token', { id: 'a-r1', text: 'Bye', index: 0 }]);
});

test('a stopped answer is told once, when the server has confirmed it', () => {
  const happenings = told(...running, token('Hel', 0), { type: 'stop' }, done('Hello', 'aborted'));
  assert.deepEqual(happenings.filter(([name]) => name === 'answer'), [
    ['answer', { id: 'a-r1', text: 'Hello', question: 'r1?', finishReason: 'aborted' }],
  ]);
});

test('a failed answer is an error and no answer', () => {
  const happenings = told(...running, event('error', problem));
  assert.deepEqual(happenings.at(-1), ['error', { id: 'a-r1', question: 'r1?', ...problem }]);
  assert.ok(!happenings.some(([name]) => name === 'answer'));
});

test('a question that waits for another answer is told once', () => {
  const happenings = told(ask('r1'), begin('r1'), { type: 'requeue' }, begin('r1'), connected);
  assert.deepEqual(happenings, [['send', { id: 'q-r1', text: 'r1?' }]]);
});

test('what was read from the server is no happening', () => {
  const messages = [
    { messageId: 'm1', author: 'visitor', content: 'Old?', requestId: 'r0', createdAt: 1 },
    { messageId: 'm2', author: 'assistant', content: 'Old.', requestId: 'r0', createdAt: 2 },
  ];
  const snapshot = { conversationId: 'c1', messages, activeStream: null };
  assert.deepEqual(told({ type: 'snapshot', apply: applySnapshot, snapshot, before: initialState }), []);
});

test('the line is told when it is cut, given up, and whole again', () => {
  const cut = ['reconnecting', 'reconnecting', 'lost', 'reconnecting'];
  const lines = ['connecting', 'streaming', ...cut, 'streaming', 'idle'];
  const happenings = told(...lines.map((connection) => ({ type: 'connection', connection })));
  assert.deepEqual(
    happenings.map(([name, { connection }]) => `${name} ${connection}`),
    ['reconnecting', 'lost', 'reconnecting', 'streaming'].map((connection) => `reconnect ${connection}`),
  );
});

test('a session that is over is told to the page each time that it is found out', () => {
  const lost = () => ({ type: 'connection', connection: 'lost', wait: { code: 'SESSION_EXPIRED', until: Infinity } });
  const again = { type: 'connection', connection: 'reconnecting' };
  const happenings = told(lost(), lost(), again, lost()).filter(([name]) => name === 'error');
  const error = { id: '', question: '', code: 'SESSION_EXPIRED', message: '', retryable: true };
  assert.deepEqual(happenings, [['error', error], ['error', error]]);
});
