// Integrated loudness of a recording (ITU-R BS.1770-5), so that the original can be heard as loud as the result.

/** The rate at which it is measured: enough for the weighting, and little memory. */
const RATE_HZ = 16_000;
const BLOCK_S = 0.4;
const STEP_S = 0.1;
const ABSOLUTE_LUFS = -70;
const RELATIVE_LU = -10;
/** Longer recordings are not decoded: about 90 MB as samples. */
export const LONGEST_S = 720;

/**
 * Returns the integrated loudness in LUFS of a file's first audio track, null if it is silent.
 * Throws if the browser cannot decode it.
 * @param {ArrayBuffer} file
 */
export async function integratedLoudness(file) {
  const decoder = new OfflineAudioContext(2, 1, RATE_HZ);
  const sound = await decoder.decodeAudioData(file);
  const context = new OfflineAudioContext(sound.numberOfChannels, sound.length, RATE_HZ);
  const source = new AudioBufferSourceNode(context, { buffer: sound });
  // The weighting of Annex 1: a shelf for the head, then a high pass (RLB).
  const shelf = new BiquadFilterNode(context, { type: "highshelf", frequency: 1682, gain: 4 });
  const pass = new BiquadFilterNode(context, { type: "highpass", frequency: 38, Q: -6 });
  source.connect(shelf).connect(pass).connect(context.destination);
  source.start();
  const weighted = await context.startRendering();
  return gated(blocks(weighted));
}

/** Mean squares of blocks of 400 ms, each 100 ms, summed over the channels. */
function blocks(sound) {
  const step = Math.round(STEP_S * sound.sampleRate);
  const steps = new Float64Array(Math.floor(sound.length / step));
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const samples = sound.getChannelData(channel);
    for (let i = 0; i < steps.length; i++) {
      for (let k = i * step; k < (i + 1) * step; k++) steps[i] += samples[k] * samples[k];
    }
  }
  const width = Math.round(BLOCK_S / STEP_S);
  const found = [];
  for (let i = 0; i + width <= steps.length; i++) {
    found.push(steps.subarray(i, i + width).reduce((sum, one) => sum + one, 0) / (width * step));
  }
  return found;
}

function gated(energies) {
  const loudness = (energy) => -0.691 + 10 * Math.log10(energy);
  const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const audible = energies.filter((energy) => loudness(energy) > ABSOLUTE_LUFS);
  if (!audible.length) return null;
  const gate = loudness(mean(audible)) + RELATIVE_LU;
  return loudness(mean(audible.filter((energy) => loudness(energy) > gate)));
}
