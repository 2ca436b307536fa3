import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { applySnapshot } from '../../widget/src/snapshot.js';
import {
  after, answer, ask, begin, done, event, outline, problem, question, running, token,
} from './actions.js';

test('at first there is nothing', () => {
  assert.deepEqual(initialState, {
    messages: [],
    connection: 'idle',
    wait: null,
    queued: 0,
    turn: null,
    conversationId: null,
  });
});

test('a question is shown at once, queued', () => {
  const state = after(ask('r1', 'Hello?'));
  assert.deepEqual(state.messages, [
    {
      id: 'q-r1',
      author: 'visitor',
      text: 'Hello?',
      revision: 0,
      state: 'queued',
      error: null,
      finishReason: null,
      messageId: null,
      requestId: 'r1',
      createdAt: 5,
    },
  ]);
  assert.equal(state.queued, 1);
});

test('when it is sent, the bubble of its answer is there before a byte came', () => {
  const state = after(ask('r1'), begin('r1'));
  assert.deepEqual(outline(state), ['q-r1 sending', 'a-r1 sending']);
  assert.equal(state.queued, 0);
  assert.deepEqual(state.turn, { requestId: 'r1', streamId: null, cursor: '', isTorn: false, isStopped: false });
});

test('the answer stands after its question, before those that still wait', () => {
  assert.deepEqual(outline(after(ask('r1'), ask('r2'), begin('r1'))), ['q-r1 sending', 'a-r1 sending', 'q-r2 queued']);
});

test('connected names the stream, the message and the conversation, and the question has arrived', () => {
  const state = after(...running);
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 sending']);
  assert.equal(answer(state).messageId, 'm1');
  assert.equal(state.conversationId, 'c1');
  assert.deepEqual([state.turn.streamId, state.turn.cursor], ['s1', 'e.1']);
});

test('stop shows the answer as stopped at once, and its question as sent', () => {
  const state = after(ask('r1'), begin('r1'), { type: 'stop' });
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 aborted']);
  assert.equal(state.turn.isStopped, true);
});

test('after stop the text on screen no longer grows, while the cursor follows', () => {
  const state = after(...running, token('Hel', 0), { type: 'stop' }, token('lo', 3, 'e.3'), token('gap', 99, 'e.4'));
  assert.deepEqual([answer(state).text, answer(state).state], ['Hel', 'aborted']);
  assert.deepEqual([state.turn.cursor, state.turn.isTorn], ['e.4', false]);
});

test('after stop a reset takes nothing away', () => {
  const state = after(...running, token('Hel', 0), { type: 'stop' }, event('reset', { reason: 'epoch' }));
  assert.deepEqual([answer(state).text, answer(state).state], ['Hel', 'aborted']);
});

test('the end of a stopped answer is the partial text that the server kept', () => {
  const state = after(...running, token('Hel', 0), { type: 'stop' }, done('Hello', 'aborted'));
  assert.deepEqual([answer(state).text, answer(state).state, state.turn], ['Hello', 'aborted', null]);
});

test('a stop that came too late: the answer is whole', () => {
  const state = after(...running, token('Hel', 0), { type: 'stop' }, done('Hello'));
  assert.deepEqual([answer(state).text, answer(state).state], ['Hello', 'done']);
});

test('an error after stop leaves it stopped', () => {
  const state = after(...running, token('Hel', 0), { type: 'stop' }, event('error', problem));
  assert.deepEqual([answer(state).state, answer(state).error, state.turn], ['aborted', null, null]);
});

test('fail ends a stopped turn as stopped', () => {
  const state = after(ask('r1'), begin('r1'), { type: 'stop' }, { type: 'fail', error: problem });
  assert.deepEqual([outline(state), state.turn], [['q-r1 done', 'a-r1 aborted'], null]);
});

test('fail fails the answer, not the question', () => {
  const state = after(ask('r1'), begin('r1'), { type: 'fail', error: problem });
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 failed']);
  assert.deepEqual([answer(state).error, state.turn], [problem, null]);
});

test('requeue puts the question back and takes the empty answer away', () => {
  const state = after(ask('r1'), begin('r1'), { type: 'requeue' });
  assert.deepEqual([outline(state), state.queued, state.turn], [['q-r1 queued'], 1, null]);
});

test('following a running answer shows it after its question, without a second bubble', () => {
  const snapshot = {
    conversationId: 'c1',
    messages: [{ messageId: 'm0', author: 'visitor', content: 'hi', requestId: 'r1', createdAt: 1 }],
    activeStream: null,
  };
  const start = begin('r1', { streamId: 's1', cursor: 'e.0' });
  const state = after({ type: 'snapshot', apply: applySnapshot, snapshot, before: initialState }, ask('r2'), start);
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 sending', 'q-r2 queued']);
  assert.deepEqual([state.turn.streamId, state.turn.cursor], ['s1', 'e.0']);
});

test('an answer whose question is not on screen comes last', () => {
  assert.deepEqual(outline(after(ask('r1'), begin('r9', { streamId: 's9' }))), ['q-r1 queued', 'a-r9 sending']);
});

test('a question that replaces an earlier one takes its place at the end', () => {
  const failed = [ask('r1', 'Why?'), begin('r1'), { type: 'fail', error: problem }];
  const state = after(...failed, ask('r2', 'How?'), { ...ask('r3', 'Why?'), replaces: 'r1' });
  assert.deepEqual(outline(state), ['q-r2 queued', 'q-r3 queued']);
});

test('asking the same again keeps both', () => {
  const failed = [ask('r1', 'Why?'), begin('r1'), { type: 'fail', error: problem }];
  assert.deepEqual(outline(after(...failed, ask('r2', 'Why?'))), ['q-r1 done', 'a-r1 failed', 'q-r2 queued']);
});

test('clear forgets everything', () => {
  assert.deepEqual(after(...running, ask('r2'), { type: 'clear' }), initialState);
});

test('the connection is shown with the reason to wait, which goes with the next change', () => {
  const wait = { code: 'RATE_LIMITED', until: 9 };
  const waiting = after({ type: 'connection', connection: 'reconnecting', wait });
  assert.deepEqual([waiting.connection, waiting.wait], ['reconnecting', wait]);
  const state = reduce(waiting, { type: 'connection', connection: 'streaming' });
  assert.deepEqual([state.connection, state.wait], ['streaming', null]);
});

test('the same connection again is no change', () => {
  const state = after({ type: 'connection', connection: 'connecting' });
  assert.equal(reduce(state, { type: 'connection', connection: 'connecting' }), state);
});

test('what did not change keeps its identity', () => {
  const before = after(ask('r0'), ...running, token('a', 0));
  const state = reduce(before, token('b', 1));
  assert.equal(question(state, 'r0'), question(before, 'r0'));
  assert.equal(question(state), question(before));
  assert.notEqual(answer(state), answer(before));
});
