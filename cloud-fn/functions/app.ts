import './clip-analysis.ts';
import './keep-clips.ts';
import './on-video-blob-created.ts';
import './on-video-processed.ts';
import './purge-histories.ts';
import './record-poison.ts';
import './start-video.ts';
import './stop-with-host.ts';
