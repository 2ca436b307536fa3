import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initialState, reduce } from '../../widget/src/conversation.js';
import { applyChange, changeOf } from '../../widget/src/sync/mirror.js';
import { below, oneOf, seeded } from './seeds.js';

const event = (type, data) =>
  ({ type: 'event', event: { type, data: JSON.stringify(data), lastEventId: `e.${type}` } });
const play = (state, ...actions) => actions.reduce(reduce, state);
const copy = (change) => structuredClone(change);
const ask = (requestId, text = requestId) => ({ type: 'ask', requestId, text, at: 1 });
const begin = (requestId) => ({ type: 'begin', requestId, at: 2 });
const started = play(initialState, ask('r1'), begin('r1'), event('connected', { streamId: 's', conversationId: 'c' }));
const say = (state, text) => reduce(state, event('token', { text, index: state.messages[1].text.length }));

/** Something that may happen to a conversation. */
function happening(random, state, step) {
  const { turn, messages } = state;
  const text = messages.find(({ id }) => id === `a-${turn?.requestId}`)?.text ?? '';
  const answering = [
    event('token', { text: `word${step} `, index: text.length }), event('token', { text: 'x', index: text.length }),
    event('reset', {}), event('done', { fullText: oneOf(random, [text, 'other']) }),
    event('sources', { sources: [step] }), { type: 'fail', error: { code: 'X' } }, { type: 'stop' },
    { type: 'requeue' },
  ];
  const waiting = messages.find(({ state: stage }) => stage === 'queued');
  const idle = [waiting ? begin(waiting.requestId) : ask(`r${step}`), ask(`r${step}`), { type: 'clear' }];
  return oneOf(random, turn ? [...answering, ask(`r${step}`)] : idle);
}

test('a state and what changed give the next state, whatever happened', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    let state = initialState;
    let mirrored = initialState;
    let told = initialState;
    for (let step = 0; step < 60; step += 1) {
      const action = happening(random, state, step);
      state = reduce(state, action);
      // Events that came together are told together.
      if (action.type === 'event' && below(random, 3) === 0) continue;
      mirrored = applyChange(mirrored, copy(changeOf(told, state)));
      told = state;
      assert.deepEqual(mirrored, state, `seed ${seed}, step ${step}`);
    }
    assert.deepEqual(applyChange(initialState, copy(changeOf(initialState, state))), state);
  }
});

test('a piece of an answer is told without what came before it', () => {
  const before = say(started, 'x'.repeat(50_000));
  const change = changeOf(before, say(before, 'more'));
  assert.ok(JSON.stringify(change).length < 300, JSON.stringify(change));
  assert.equal(change.ids, null);
});

test('what did not change keeps its identity', () => {
  const before = say(started, 'Hello');
  const next = applyChange(before, copy(changeOf(before, say(before, ' you'))));
  assert.equal(next.messages[0], before.messages[0]);
});

test('a piece that is known already is not added again', () => {
  const first = say(started, 'Hello');
  const second = say(first, ' you');
  assert.equal(applyChange(second, copy(changeOf(first, second))).messages[1].text, 'Hello you');
});

test('a change that leaves a gap does not fit', () => {
  const first = say(started, 'Hello');
  assert.equal(applyChange(started, copy(changeOf(first, say(first, ' you')))), null);
  assert.equal(applyChange(initialState, copy(changeOf(started, first))), null);
});

test('a tab that knows more of an answer than the one that tells it keeps that', () => {
  const [less, more] = [say(started, 'Hello'), say(started, 'Hello you')];
  const whole = changeOf(initialState, less);
  assert.equal(applyChange(more, copy(whole)).messages[1].text, 'Hello you');
});

test('another text under the same number is written anew', () => {
  const [mine, theirs] = [say(started, 'Hello'), say(started, 'Good morning')];
  const { text, revision } = applyChange(mine, copy(changeOf(initialState, theirs))).messages[1];
  assert.equal(text, 'Good morning');
  assert.notEqual(revision, mine.messages[1].revision);
});
