/** What the light is made of. */
interface Shown {
  readonly state: string;
  readonly detail: string | null;
  readonly shutdown: string | null;
}

/** One light for a person who comes by. on: on mains and all is well · blink: anything else · off: not running.
 *  @param lamp absent: there is none
 *  @param knowsMains whether anything is configured that could tell about mains; without it its absence is no trouble */
export function createStatusLight(
  lamp: { show(light: 'on' | 'off' | 'blink'): void } | undefined,
  knowsMains: boolean,
) {
  let shown: string | undefined;
  function set(light: 'on' | 'off' | 'blink'): void {
    if (light === shown) return;
    shown = light;
    lamp?.show(light);
  }
  return {
    show({ state, detail, shutdown }: Shown, trouble: boolean): void {
      const powerIsWell = knowsMains ? state === 'on-mains' && detail === null : true;
      set(powerIsWell && shutdown === null && !trouble ? 'on' : 'blink');
    },
    off: () => set('off'),
  };
}
