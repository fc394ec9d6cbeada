/** Tells on the console what the page shows of the appliance: what is watched, and what is wrong. */
import type { ConditionView, PageWords, StatusView } from './page-words.ts';

/** Told by clips, cameras and conditions themselves. */
const TOLD_ELSEWHERE = new Set([
  'person-seen',
  'condition',
  'camera-down',
  'camera-blind',
  'no-cameras',
  'starting',
  'waiting',
]);

/** Compares each look with the one before; only what is new is told. */
export function createApplianceStory(tell: (sentence: string) => void, words: PageWords) {
  const ofCamera = new Map<string, string>();
  let conditions = new Map<string, string>();
  let matters = new Set<string>();

  function lookAtCameras({ cameras }: StatusView): void {
    for (const camera of cameras) {
      const sentence = cameraSentence(camera);
      if (sentence === undefined || ofCamera.get(camera.cameraId) === sentence) continue;
      ofCamera.set(camera.cameraId, sentence);
      tell(sentence);
    }
  }

  function lookAtConditions(status: StatusView): void {
    const now = new Map<string, string>();
    for (const condition of status.conditions) {
      const key = keyOf(condition);
      const sentence = words.condition(condition, status);
      now.set(key, sentence);
      if (!conditions.has(key)) tell(`${sentence} ${condition.detail}`.trim());
    }
    for (const [key, sentence] of conditions) if (!now.has(key)) tell(`no longer so: ${sentence}`);
    conditions = now;
  }

  function lookAtTheRest(status: StatusView): void {
    const now = new Set<string>();
    for (const matter of [status.house, ...status.further]) {
      if (matter.level === 'calm' || TOLD_ELSEWHERE.has(matter.state)) continue;
      now.add(matter.state);
      if (!matters.has(matter.state)) tell(words.house(status, matter));
    }
    if (matters.size > 0 && now.size === 0 && status.house.level === 'calm') tell(words.house(status));
    matters = now;
  }

  return {
    look(status: StatusView): void {
      lookAtCameras(status);
      lookAtConditions(status);
      lookAtTheRest(status);
    },
  };
}

/** Undefined while nobody knows yet. */
export function cameraSentence({ title, state, detail }: StatusView['cameras'][number]): string | undefined {
  if (state === 'live') return `watching ${title}`;
  if (state === 'blind' && detail !== null) return `${title} does not see its scene: ${detail}`;
  if (detail !== null) return `${title} is not watched: ${detail}`;
  return state === 'starting' ? undefined : `${title} is not watched: it gives no picture`;
}

const keyOf = ({ code, subject }: ConditionView) => `${code} ${subject ?? ''}`;
