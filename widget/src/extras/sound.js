import { keepChoice, readChoice } from '../storage.js';

/** Two soft notes, a fourth apart. */
const NOTES_HZ = [587.33, 783.99];
const APART_S = 0.12;
const LENGTH_S = 0.5;
const LOUDNESS = 0.06;

/**
 * The sound of an answer that came while the panel was closed. Off, unless the page's author
 * switched it on, or the visitor.
 *
 * @param {Pick<import('../extras.js').Speaking, 'given' | 'endpoint'>} chat
 */
export function createSound({ given, endpoint }) {
  let choice = readChoice(endpoint, 'sound') ?? given.sound;
  const isOn = () => choice === 'on';

  function play() {
    // Without an action of the visitor's browsers play nothing, and complain.
    if (!isOn() || navigator.userActivation?.hasBeenActive === false) return;
    const context = new AudioContext();
    const end = NOTES_HZ.map((pitch, at) => playNote(context, pitch, context.currentTime + at * APART_S)).pop();
    end?.addEventListener('ended', () => void context.close());
  }

  return {
    isOn,
    play,
    toggle() {
      choice = isOn() ? 'off' : 'on';
      keepChoice(endpoint, 'sound', choice);
      play();
    },
  };
}

/**
 * @param {AudioContext} context
 * @param {number} pitch in Hz
 * @param {number} start in seconds of the context
 */
function playNote(context, pitch, start) {
  const tone = new OscillatorNode(context, { frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + LENGTH_S);
  return tone;
}
