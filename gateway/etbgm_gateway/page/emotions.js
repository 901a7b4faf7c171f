// The seven emotions, in the colours of the plots (etbgm_kit.media.charts); names always go with them.

import { t } from "./text.js";

export const COLOURS = {
  ANGER: "#e4573d",
  DISGUST: "#7d9b3c",
  FEAR: "#8a63b8",
  JOY: "#f2b632",
  NEUTRAL: "#b4bac4",
  SADNESS: "#4a7fc1",
  SURPRISE: "#35b3a7",
};

export const EMOTIONS = Object.keys(COLOURS);

/** "JOY" of "EMOTION_JOY". */
export const bare = (name) => (name || "").replace("EMOTION_", "");

export const emotionName = (emotion) => t(`emotion.${emotion}`);
