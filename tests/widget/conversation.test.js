import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { below, pieces, seeded } from './seeds.js';

/** The state after several actions; each state on the way is frozen, so that a mutation throws. */
function after(...actions) {
  return actions.reduce((state, action) => deepFreeze(reduce(state, action)), initialState);
}

function deepFreeze(value) {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

const ask = (requestId, text = `${requestId}?`) => ({ type: 'ask', requestId, text, at: 5 });
const begin = (requestId, rest = {}) => ({ type: 'begin', requestId, at: 6, ...rest });
const event = (type, fields, lastEventId = 'e.1') => ({
  type: 'event',
  event: { type, data: JSON.stringify(fields), lastEventId },
});
const connected = event('connected', { streamId: 's1', messageId: 'm1', conversationId: 'c1' }, 'e.1');
const token = (text, index, id = 'e.2') => event('token', { text, index }, id);
const done = (fullText, finishReason = 'stop') => event('done', { fullText, finishReason, messageId: 'm1' }, 'e.9');
const problem = { code: 'UPSTREAM_TIMEOUT', message: 'Too slow.', retryable: true };

const running = [ask('r1'), begin('r1'), connected];
const answer = (state, requestId = 'r1') => state.messages.find(({ id }) => id === `a-${requestId}`);
const question = (state, requestId = 'r1') => state.messages.find(({ id }) => id === `q-${requestId}`);
const outline = ({ messages }) => messages.map(({ id, state }) => `${id} ${state}`);

test('at first there is nothing', () => {
  assert.deepEqual(initialState, {
    messages: [],
    connection: 'idle',
    wait: null,
    queued: 0,
    turn: null,
    conversationId: null,
    isRestored: false,
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

test('tokens add up, and the cursor follows', () => {
  const state = after(...running, token('Hel', 0, 'e.2'), token('lo 😀', 3, 'e.3'), token('!', 8, 'e.4'));
  assert.equal(answer(state).text, 'Hello 😀!');
  assert.equal(answer(state).state, 'streaming');
  assert.equal(answer(state).revision, 0);
  assert.equal(state.turn.cursor, 'e.4');
});

test('a token that is covered already is dropped', () => {
  const before = after(...running, token('Hello', 0));
  const state = reduce(before, token('ell', 1, 'e.7'));
  assert.equal(answer(state), answer(before));
  assert.equal(state.turn.cursor, 'e.7');
});

test('of a token that is covered in part, the new tail is taken', () => {
  assert.equal(answer(after(...running, token('Hello', 0), token('lo there', 3))).text, 'Hello there');
});

test('a gap is never shown: the turn is torn and its cursor forgotten', () => {
  const state = after(...running, token('Hello', 0), token('there', 6, 'e.5'), token('!', 11, 'e.6'));
  assert.equal(answer(state).text, 'Hello');
  assert.deepEqual([state.turn.isTorn, state.turn.cursor], [true, '']);
});

test('a torn answer that is read again from its start goes on where it stood', () => {
  const torn = [...running, token('Hello', 0), token('you', 12)];
  const state = after(...torn, connected, token('Hello', 0), token(' there ', 5), token('you', 12));
  assert.equal(answer(state).text, 'Hello there you');
  assert.equal(answer(state).revision, 0);
  assert.deepEqual([state.turn.isTorn, state.turn.cursor], [false, 'e.2']);
});

test('done settles the answer', () => {
  const state = after(...running, token('Hello', 0), done('Hello'));
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 done']);
  assert.equal(answer(state).finishReason, 'stop');
  assert.equal(state.turn, null);
});

test('the whole text at the end completes what was missing', () => {
  const state = after(...running, token('Hel', 0), done('Hello'));
  assert.deepEqual([answer(state).text, answer(state).revision], ['Hello', 0]);
});

test('the whole text at the end corrects what was wrong, under a new revision', () => {
  const state = after(...running, token('Hallo', 0), done('Hello'));
  assert.deepEqual([answer(state).text, answer(state).revision], ['Hello', 1]);
});

test('an answer that ended with aborted is shown as stopped', () => {
  const state = after(...running, token('Hel', 0), done('Hello', 'aborted'));
  assert.deepEqual([answer(state).state, answer(state).finishReason], ['aborted', 'aborted']);
});

test('an error event fails the answer and keeps its text', () => {
  const state = after(...running, token('Hel', 0), event('error', { ...problem, timestamp: 1 }));
  assert.deepEqual([answer(state).state, answer(state).text], ['failed', 'Hel']);
  assert.deepEqual(answer(state).error, problem);
  assert.equal(state.turn, null);
});

test('reset forgets the text, under a new revision, and the answer starts again', () => {
  const told = [...running, token('Hello', 0), event('reset', { reason: 'epoch' }, 'f.1')];
  assert.deepEqual([answer(after(...told)).text, answer(after(...told)).revision], ['', 1]);
  const state = after(...told, connected, token('Hi', 0, 'f.3'));
  assert.deepEqual([answer(state).text, answer(state).revision, state.turn.cursor], ['Hi', 1, 'f.3']);
});

test('reset before any text changes no revision', () => {
  assert.equal(answer(after(...running, event('reset', { reason: 'epoch' }))).revision, 0);
});

test('reset mends a torn turn: the whole stream follows', () => {
  const state = after(...running, token('gap', 9), event('reset', { reason: 'epoch' }), token('Hi', 0, 'f.2'));
  assert.equal(answer(state).text, 'Hi');
  assert.deepEqual([state.turn.isTorn, state.turn.cursor], [false, 'f.2']);
});

test('unknown events move the cursor and nothing else', () => {
  const before = after(...running);
  const state = reduce(before, event('sources', { sources: [] }, 'e.5'));
  assert.equal(state.messages, before.messages);
  assert.equal(state.turn.cursor, 'e.5');
});

test('an event without an id leaves the cursor where it was', () => {
  assert.equal(after(...running, event('custom', {}, '')).turn.cursor, 'e.1');
});

for (const data of ['{', '"text"', 'null', '7', '']) {
  test(`a token with ${JSON.stringify(data)} for data is no token`, () => {
    const broken = { type: 'event', event: { type: 'token', data, lastEventId: 'e.3' } };
    assert.equal(answer(after(...running, token('Hello', 0), broken)).text, 'Hello');
  });
}

for (const fields of [{}, { text: 'x' }, { index: 5 }, []]) {
  test(`a token with ${JSON.stringify(fields)} is no token`, () => {
    assert.equal(answer(after(...running, token('Hello', 0), event('token', fields))).text, 'Hello');
  });
}

test('a done without its text ends the answer as it stands', () => {
  const state = after(...running, token('Hello', 0), event('done', {}));
  assert.deepEqual([answer(state).text, answer(state).state, answer(state).finishReason], ['Hello', 'done', null]);
});

test('an error without its fields is still an error', () => {
  assert.deepEqual(answer(after(...running, event('error', {}))).error, { code: '', message: '', retryable: true });
});

test('the piece after a malformed token shows the gap', () => {
  const broken = { type: 'event', event: { type: 'token', data: '{', lastEventId: 'e.3' } };
  assert.equal(after(...running, token('Hello', 0), broken, token('you', 6)).turn.isTorn, true);
});

test('events without a turn change nothing', () => {
  const plain = ['stop', 'requeue'].map((type) => ({ type }));
  for (const action of [connected, token('x', 0), done('x'), { type: 'fail', error: problem }, ...plain]) {
    assert.equal(reduce(initialState, action), initialState, action.type);
  }
});

test('whatever is lost, doubled or repeated on the way, the text is never wrong and ends whole', () => {
  const random = seeded(3);
  for (let round = 0; round < 500; round += 1) {
    const text = Array.from({ length: 1 + below(random, 80) }, (_, at) => String.fromCharCode(97 + (at % 26))).join('');
    let state = after(...running);
    for (let rounds = 0; state.turn && rounds < 200; rounds += 1) {
      if (state.turn.isTorn) state = reduce(state, connected);
      let index = state.turn.cursor === 'e.1' ? 0 : below(random, answer(state).text.length + 1);
      for (const piece of pieces(random, text.slice(index), 7)) {
        const at = index;
        index += piece.length;
        if (random() < 0.1) continue;
        if (random() < 0.05) break;
        state = reduce(state, token(piece, at, 'e.5'));
        assert.ok(text.startsWith(answer(state).text), `round ${round}`);
        if (state.turn.isTorn) break;
      }
      if (index === text.length && !state.turn.isTorn) state = reduce(state, done(text));
    }
    assert.deepEqual([answer(state).text, answer(state).revision, answer(state).state], [text, 0, 'done']);
  }
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
  const state = after({ type: 'snapshot', snapshot, before: initialState }, ask('r2'), start);
  assert.deepEqual(outline(state), ['q-r1 done', 'a-r1 sending', 'q-r2 queued']);
  assert.deepEqual([state.turn.streamId, state.turn.cursor], ['s1', 'e.0']);
});

test('an answer whose question is not on screen comes last', () => {
  assert.deepEqual(outline(after(ask('r1'), begin('r9', { streamId: 's9' }))), ['q-r1 queued', 'a-r9 sending']);
});

test('asking the same again after a failure takes the failed turn away', () => {
  const failed = [ask('r1', 'Why?'), begin('r1'), { type: 'fail', error: problem }];
  assert.deepEqual(outline(after(...failed, ask('r2', 'Why?'))), ['q-r2 queued']);
});

test('asking something else after a failure leaves the failed turn in place', () => {
  const failed = [ask('r1', 'Why?'), begin('r1'), { type: 'fail', error: problem }];
  assert.deepEqual(outline(after(...failed, ask('r2', 'How?'))), ['q-r1 done', 'a-r1 failed', 'q-r2 queued']);
});

test('asking the same again after a good answer keeps both', () => {
  const answered = [ask('r1', 'Why?'), begin('r1'), connected, done('Because.')];
  assert.equal(after(...answered, ask('r2', 'Why?')).messages.length, 3);
});

test('drop takes the waiting questions away and nothing else', () => {
  const state = after(ask('r1'), begin('r1'), ask('r2'), ask('r3'), { type: 'drop' });
  assert.deepEqual([outline(state), state.queued], [['q-r1 sending', 'a-r1 sending'], 0]);
});

test('clear forgets everything', () => {
  assert.deepEqual(after(...running, ask('r2'), { type: 'clear' }), { ...initialState, isRestored: true });
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

test('the text of a long answer grows in time proportional to its length', () => {
  const time = (count) => {
    let state = after(...running);
    const start = performance.now();
    for (let at = 0; at < count; at += 1) state = reduce(state, token('word', at * 4));
    return performance.now() - start;
  };
  time(2000);
  const best = (count) => Math.min(time(count), time(count), time(count));
  const ratio = best(50_000) / best(5000);
  assert.ok(ratio < 40, `linear is 10, quadratic 100, measured ${ratio.toFixed(1)}`);
});
