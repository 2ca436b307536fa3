import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { after, answer, connected, done, event, outline, problem, running, token } from './actions.js';
import { growth } from './cost.js';
import { below, pieces, seeded } from './seeds.js';

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

test('events of other types move the cursor and are kept with the answer, by their types', () => {
  const told = [event('sources', { sources: [1] }, 'e.5'), event('text', { text: 'x' }, 'e.6')];
  const state = after(...running, ...told, event('sources', { sources: [2] }, 'e.7'));
  assert.deepEqual(answer(state).more, { sources: { sources: [2] }, text: { text: 'x' } });
  assert.deepEqual([answer(state).text, state.turn.cursor], [answer(after(...running)).text, 'e.7']);
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

test('the text of a long answer grows at a cost proportional to its length', () => {
  const grow = (count) => {
    let state = after(...running);
    for (let at = 0; at < count; at += 1) state = reduce(state, token('word', at * 4));
  };
  const ratio = growth(grow, 20_000, 200_000);
  assert.ok(ratio < 40, `linear is 10, quadratic 100, measured ${ratio.toFixed(1)}`);
});
