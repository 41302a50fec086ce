import { describe, expect, it } from 'vitest';
import { readOtio } from '../../src/batch/otio.ts';
import { buildProject } from '../../src/studio/otio/build-project.ts';
import { readTimeline } from '../../src/studio/otio/otio-timeline.ts';
import { mediaFileNames, writeTimeline } from '../../src/studio/otio/write-timeline.ts';
import { projectFromJson, projectToJson } from '../../src/studio/persistence/project-json.ts';
import type { MediaItem, Project } from '../../src/studio/timeline/project.ts';

const NTSC = { num: 24000, den: 1001 };
const R25 = { num: 25, den: 1 };

function media(id: string, name: string, rate = NTSC, frameCount = 100_000): MediaItem {
  return { id, name, rate, frameCount, width: 640, height: 360 };
}

/** Without ids, which a file does not carry. */
function sketch(project: Project) {
  return project.tracks.map(({ name, clips }) => ({
    name,
    clips: clips.map(({ mediaId, label, start, in: first, out }) => [mediaId, label, start, first, out]),
  }));
}

/** Writes a project, reads it back with the same media. */
function roundTrip(project: Project, names = mediaFileNames(project)): Project {
  const timeline = readTimeline(writeTimeline(project, names), 'saved.otio');
  const byUrl = new Map([...names].map(([id, name]) => [encodeURIComponent(name), project.media[id]!]));
  for (const { otio, id } of Object.values(project.media))
    if (otio) byUrl.set(String(otio['target_url']), project.media[id]!);
  let n = 0;
  const built = buildProject(timeline, byUrl, () => `n${n++}`);
  expect(built.notices).toEqual([]);
  return built.project;
}

const project: Project = {
  name: 'Two walks',
  format: { rate: NTSC, width: 640, height: 360 },
  media: {
    a: media('a', 'a walk.mp4'),
    b: media('b', 'walk.mov', R25, 5000),
    c: { ...media('c', 'a walk.mp4'), provenance: { 'longtake.seed': '7', 'longtake.model': 'tiny' } },
  },
  tracks: [
    {
      id: 'v1',
      name: 'V1',
      clips: [
        { id: '1', mediaId: 'a', label: 'opening', start: 3, in: 70_001, out: 70_050 },
        { id: '2', mediaId: 'b', label: 'walk.mov', start: 52, in: 1, out: 4000 },
        { id: '3', mediaId: 'c', label: 'made', start: 80_051, in: 0, out: 24 },
      ],
    },
    { id: 'v2', name: 'Titles', clips: [] },
  ],
};

describe('a timeline as OpenTimelineIO', () => {
  it('comes back frame for frame, at a rate that is no whole number', () => {
    const back = roundTrip(project);
    expect(sketch(back)).toEqual(sketch(project));
    expect(back.format).toEqual(project.format);
    expect(back.name).toBe('Two walks');
    expect(back.media['c']!.provenance).toEqual({ 'longtake.seed': '7', 'longtake.model': 'tiny' });
    expect(back.media['a']!.provenance).toBeUndefined();
  });

  it('writes what other programs read: schemas, gaps, rational times, a file name for each media', () => {
    const file = JSON.parse(writeTimeline(project, mediaFileNames(project)));
    expect(file.OTIO_SCHEMA).toBe('Timeline.1');
    expect(file.tracks.OTIO_SCHEMA).toBe('Stack.1');
    const [first] = file.tracks.children;
    expect(first.OTIO_SCHEMA).toBe('Track.1');
    expect(first.children.map((item: { OTIO_SCHEMA: string }) => item.OTIO_SCHEMA)).toEqual([
      'Gap.1',
      'Clip.2',
      'Clip.2',
      'Gap.1',
      'Clip.2',
    ]);
    const urls = first.children.flatMap(
      (item: { media_references?: { DEFAULT_MEDIA: { target_url: string } } }) =>
        item.media_references ? [item.media_references.DEFAULT_MEDIA.target_url] : [],
    );
    expect(urls).toEqual(['a%20walk.mp4', 'walk.mov', 'a%20walk%20(2).mp4']);
    expect(first.children[4].metadata.longtake.provenance).toEqual({ seed: '7', model: 'tiny' });
    // The batch command reads the same file.
    expect(readOtio(JSON.stringify(file), 'saved.otio').map(({ range }) => range?.duration)).toEqual(
      [49, 3999, 24].map((value) => ({ value, rate: 24000 / 1001 })),
    );
  });

  it('keeps what it does not know: metadata, markers, effects, sound, time code, addresses', () => {
    const time = (value: number, rate = 25) => ({ OTIO_SCHEMA: 'RationalTime.1', value, rate });
    const range = (start: number, length: number) => ({
      OTIO_SCHEMA: 'TimeRange.1',
      start_time: time(start),
      duration: time(length),
    });
    const marker = { OTIO_SCHEMA: 'Marker.2', name: 'here', color: 'RED' };
    const sound = { OTIO_SCHEMA: 'Track.1', kind: 'Audio', name: 'A1', children: [{ OTIO_SCHEMA: 'Gap.1' }] };
    const clip = {
      OTIO_SCHEMA: 'Clip.2',
      name: 'shot',
      source_range: range(90_010, 20),
      enabled: true,
      metadata: { cmx: { reel: 'A001' }, longtake: { batch: { seconds: 3 } } },
      effects: [{ OTIO_SCHEMA: 'Effect.1', effect_name: 'grade' }],
      markers: [marker],
      media_references: {
        DEFAULT_MEDIA: {
          OTIO_SCHEMA: 'ExternalReference.1',
          target_url: 'file:///Volumes/media/shot%201.mov',
          available_range: range(90_000, 200),
          available_image_bounds: null,
          name: 'shot 1',
          metadata: { colour: 'log' },
        },
        proxy: { OTIO_SCHEMA: 'ExternalReference.1', target_url: 'proxy.mp4' },
      },
      active_media_reference_key: 'DEFAULT_MEDIA',
    };
    const root = {
      OTIO_SCHEMA: 'Timeline.1',
      name: 'Cut 3',
      global_start_time: time(90_000),
      metadata: { show: 'x' },
      tracks: {
        OTIO_SCHEMA: 'Stack.1',
        name: 'tracks',
        children: [
          {
            OTIO_SCHEMA: 'Track.1',
            kind: 'Video',
            name: 'Main',
            metadata: { lock: true },
            children: [{ OTIO_SCHEMA: 'Gap.1', source_range: range(0, 5) }, clip],
          },
          sound,
        ],
      },
    };
    const text = JSON.stringify(root).replace('"lock":true', '"lock":true,"gain":-Infinity,"pan":NaN');
    const timeline = readTimeline(text, 'cut.otio');
    expect(timeline.notices).toHaveLength(2);
    const item = media('m', 'shot 1.mov', R25, 200);
    const url = 'file:///Volumes/media/shot%201.mov';
    const built = buildProject(timeline, new Map([[url, item]]), () => 'id').project;
    expect(sketch(built)).toEqual([{ name: 'Main', clips: [['m', 'shot', 5, 10, 30]] }]);
    const stored = projectFromJson(projectToJson(built))!;
    const saved = JSON.parse(writeTimeline(stored, mediaFileNames(stored)));
    expect(saved.global_start_time).toEqual(time(90_000));
    expect(saved.metadata.show).toBe('x');
    expect(saved.tracks.children[1]).toEqual(sound);
    const track = saved.tracks.children[0];
    expect(track.metadata).toEqual({ lock: true, gain: null, pan: null });
    expect(track.children[1]).toEqual(clip);
    const moved = JSON.parse(writeTimeline(stored, mediaFileNames(stored), true));
    expect(moved.tracks.children[0].children[1].media_references.DEFAULT_MEDIA.target_url).toBe(
      'shot%201.mov',
    );
  });

  it('leaves the place of a missing clip empty', () => {
    const timeline = readTimeline(writeTimeline(project, mediaFileNames(project)), 'x.otio');
    const there = new Map([['walk.mov', project.media['b']!]]);
    const { project: opened } = buildProject(timeline, there, () => 'id');
    expect(sketch(opened)[0]!.clips).toEqual([['b', 'walk.mov', 52, 1, 4000]]);
    expect(() => buildProject({ ...timeline, format: null }, new Map(), () => 'id')).toThrow(
      /None of the media files/,
    );
  });

  it('takes what the media have where the timeline wants more', () => {
    const timeline = readTimeline(writeTimeline(project, mediaFileNames(project)), 'x.otio');
    const short = new Map([['walk.mov', { ...project.media['b']!, frameCount: 1000 }]]);
    const built = buildProject(timeline, short, () => 'id');
    expect(built.project.tracks[0]!.clips.map(({ start, in: first, out }) => [start, first, out])).toEqual([
      [52, 1, 959],
    ]);
    expect(built.notices).toEqual([
      'The timeline uses frames that a media file does not have; the rest was taken.',
    ]);
  });

  it.each([
    ['{"OTIO_SCHEMA": "Timeline.1", "tracks": {', /is no OpenTimelineIO file: it is not valid JSON/],
    ['[]', /it names no schema/],
    ['{"OTIO_SCHEMA": "Timeline.1"}', /holds no video clip/],
    [
      '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [7, null]}}',
      /holds no video/,
    ],
  ])('refuses %s with one sentence', (text, words) => {
    expect(() => readTimeline(text, 'bad.otio')).toThrow(words);
  });
});
