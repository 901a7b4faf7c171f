"""Records what a page plays, and tells which sound it was."""

import base64
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page

from tests.browser.waiting import until

RATE_HZ = 48000

_RECORDER = """
(() => {
  const Context = window.AudioContext;
  window.AudioContext = class extends Context {
    constructor(options) { super({ ...options, sampleRate: 48000 }); }
  };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && this.context instanceof Context && !window.recorder) {
      const recorder = (window.recorder = this.context.createScriptProcessor(4096, 2, 1));
      window.recorded = [];
      recorder.onaudioprocess = ({ inputBuffer }) => {
        if (window.recording) window.recorded.push(...inputBuffer.getChannelData(0));
      };
      connect.call(this, recorder);
      connect.call(recorder, target);
    }
    return connect.call(this, target, ...rest);
  };
})();
"""


def listen_in(context: BrowserContext) -> None:
    """Lets pages of the context record all that goes to the loudspeakers."""
    context.add_init_script(_RECORDER)


def record(page: Page, seconds: float) -> NDArray[np.float64]:
    """Returns so many seconds of what the page plays now, the left channel."""
    page.evaluate("window.recorded = []; window.recording = true;")
    until(page, f"window.recorded.length >= {round(seconds * RATE_HZ)}")
    text = page.evaluate(
        """() => {
            window.recording = false;
            const bytes = new Uint8Array(Float32Array.from(window.recorded).buffer);
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }"""
    )
    heard = np.frombuffer(base64.b64decode(text), np.float32)
    return heard[: round(seconds * RATE_HZ)].astype(np.float64)


def decoded(path: Path) -> NDArray[np.float64]:
    """The left channel of a file at RATE_HZ."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-ar", str(RATE_HZ), "-map", "0:a:0", "-f", "f32le", "-"]
    raw = subprocess.run([*command[:-1], "-ac", "2", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32)[::2].astype(np.float64)


def mismatch(heard: NDArray[np.float64], sound: NDArray[np.float64], near_s: float) -> tuple[float, float]:
    """Returns the part of the energy of `heard` that is not of `sound`, and where in it it was found, in s.

    Searches the 3 s around `near_s` for the place where both agree best, at any gain.
    """
    begin = max(0, round((near_s - 1.5) * RATE_HZ))
    part = sound[begin : begin + 3 * RATE_HZ + len(heard)]
    size = 1 << (len(part) + len(heard)).bit_length()
    products = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(heard, size)), size)
    products = products[: max(1, len(part) - len(heard))]
    until_each = np.concatenate([[0.0], np.cumsum(part**2)])
    energy = (until_each[len(heard) :] - until_each[: -len(heard)])[: len(products)]
    likeness = products**2 / np.maximum(energy * np.sum(heard**2), 1e-12)
    best = int(np.argmax(likeness))
    return float(1 - likeness[best]), (begin + best) / RATE_HZ
