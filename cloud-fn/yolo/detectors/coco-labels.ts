/** The 80 classes of COCO in the order every detector here numbers them. */
const COCO_CLASSES =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'.split(
    ',',
  );

export const COCO_CLASS_COUNT = COCO_CLASSES.length;

/** What a watchman reports, grouped by how much it matters; the first group matters most.
 *  The other classes are left out on purpose: in an empty room detectors steadily see a `tv` or a `skateboard`. */
export const REPORTED = {
  person: ['person'],
  animal: ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear'],
  vehicle: ['bicycle', 'car', 'motorcycle', 'bus', 'truck'],
} as const;
export type LabelGroup = keyof typeof REPORTED;

const GROUPS = Object.entries(REPORTED) as [LabelGroup, readonly string[]][];
const GROUP_OF_LABEL = new Map(
  GROUPS.flatMap(([group, labels]) => labels.map((label) => [label, group] as const)),
);

/** 0 matters most. */
export const importance = (label: string): number =>
  GROUPS.findIndex(([, labels]) => labels.includes(label)) >>> 0;

export const groupOf = (label: string): LabelGroup | undefined => GROUP_OF_LABEL.get(label);

/** Class numbers of the reported labels, with their labels. */
export const REPORTED_CLASSES: readonly { readonly id: number; readonly label: string }[] =
  COCO_CLASSES.flatMap((label, id) => (GROUP_OF_LABEL.has(label) ? [{ id, label }] : []));

const LABEL_OF_CLASS = new Map(REPORTED_CLASSES.map(({ id, label }) => [id, label]));
/** Label of a class number; undefined when it is not reported. */
export const reportedLabel = (classId: number): string | undefined => LABEL_OF_CLASS.get(classId);
