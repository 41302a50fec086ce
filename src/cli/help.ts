import { MAX_SECONDS } from '../media/limits.ts';

export const HELP = `longtake: makes a shot longer with a world model that runs on this machine.

  longtake extend [IN] --seconds S --out OUT [options]
      Continues the clip IN by S seconds. Without IN: a new shot (cold start).
  longtake inpaint IN --gap START:COUNT | --region X,Y,W,H[@FRAME] | --mask MASK [--frames A:B] --out OUT [options]
      Makes frames, or a part of the picture, anew inside a clip.
  longtake batch PROJECT.otio --out DIR --seconds S [options]
      Extends every clip of an OpenTimelineIO project; previews, contact sheets and a report go to DIR.
  longtake models list | verify [NAME] | parity [NAME] [--backend NAME] [--recording FILE]
      Lists the installed models; checks their files; compares the backends (ort, ort-int8, webgpu) number by
      number.
  longtake eval MODEL --data DIR --task NAME [options]
      Measures a model on clips with known frames (a folder a clip): docs/evaluation.md.
  longtake bench [options]
      Measures the speed and memory of a model on this machine: docs/performance.md.

Options of extend and batch
  --seconds S         length of the continuation, above 0 and at most ${MAX_SECONDS}
  --model NAME        a folder under models/, or a path (default: the first installed)
  --profile NAME      draft, preview (default) or final
  --backend NAME      auto (default), webgpu or ort
  --direction NAME    forward (default): after the clip; backward: before it
  --seed N            0 … 4294967295 (default 0); the same seed gives the same frames
  --steps N           denoise passes, instead of the profile's
  --content NAME      extended (default): clip and continuation in one file; continuation: the new frames alone; both
  --json              print one JSON object and no progress

Options of extend only
  --out OUT           the result: .mp4 (H.264) or .webm (VP9)
  --fit SECONDS       as many passes, up to those of final, as leave the new frames done in this time
  --camera FILE       camera track (JSON), one pose a frame over clip and continuation
  --move NAME[:N]     what the camera does: hold, continue, pan-left, pan-right, tilt-up, tilt-down (degrees),
                      push-in or push-out (the model's unit of length)
  --sheet FILE.png    contact sheet: last frames of the clip and new frames, marked
  --size WxH          cold start: size of the new shot (default: the model's)
  --rate R            cold start: frame rate, such as 24, 23.976 or 30000/1001 (default: the model's)

  --loop              the new frames lead from the clip's end back to its beginning

Options of batch only (clips of the project may bring settings of their own: docs/batch.md)
  --out DIR           the folder for the results
  --variations N      continuations of each clip with seeds that follow each other (default 1)
  --name TEMPLATE     names of the previews, of {index}, {clip}, {variation}, {seed}, {profile}
                      (default: {index}-{clip}, with variations {index}-{clip}-{variation})

Options of inpaint (--model, --profile, --backend, --seed, --steps, --json, --out, --sheet as above)
  --gap START:COUNT   whole frames: the first one, counted from 0, and their number
  --region X,Y,W,H    a rectangle in pixels; with @FRAME, and given several times, one that moves from frame to frame
  --mask MASK         a video of the clip's size, white where the picture is to be made anew
  --frames A:B        with --region and --mask: first and last frame (default: all)
  --camera FILE       camera track (JSON), one pose a frame over the clip

Options of eval
  --task NAME         retrieval, reasoning, gap, region or cold
  --context N         frames given; --generate M  frames to make (default: the task's)
  --steps K, --backend NAME, --seed N, --json as above; --json keeps the progress on standard error
  --clips C           only the first C clips
  --sheet FILE.png    truth above generated frames
  --noise S, --missing P, --occlusion L, --camera-jump
                      degrades the frames given: Gaussian noise, a share of frames left out, spells of L frames behind
                      a grey rectangle, a jump in the middle

Options of bench
  --model NAME        as above; --backend NAME: all (default), webgpu, ort-webgpu, ort or ort-wasm
  --repeats N         runs of everything (default 20); --prefix A,B,…  frames (default 10,100,1000,10000)
  --variations A,B,…  made at once (default 1,2,4,8)
  --arithmetic A      of our kernels' large products: f32 (default), f16, matrix-units; --untuned  the default tiles
  --world-only        no end-to-end run
  --small             short: for devices that are no graphics cards; --out FILE  the figures as JSON, beside the table
  --json              print the figures as JSON; progress goes to standard error

  longtake --help     this text
  longtake --version

Exit codes: 0 done, 1 result could not be written or internal fault, 2 usage, 3 unusable input, 4 no backend,
5 damaged model, 130 cancelled. docs/cli.md and docs/batch.md say more.
`;
