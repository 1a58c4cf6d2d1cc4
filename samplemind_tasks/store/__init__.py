"""The only code that knows MongoDB, Chroma, the Redis progress view and the blob store.

MongoDB is the truth. Its collections, and what their documents hold:

audio_files  a sample: {_id, user_id, file_hash, number, created_at, name, state, size_bytes, duration_s, kind,
             tempo_bpm, tempo_confidence, key, key_confidence, key_camelot, loudness_lufs, analysis_version,
             tags: [str], user: {}}
             `_id` follows from user and hash, so that writing it twice is writing it once; `number` counts arrivals
             from 1 within a user, dense, so that a page is a closed range of an index.
places       where a sample lives: {_id, user_id, root, key, path, size, mtime_ns, file_hash, state, removed,
             versions, failed}
             `key` is the path below root, each byte one Latin-1 character: any file name fits, and its order in the
             index is the order of the bytes, which is the order in which the scan walks. `path` is what people read.
             An upload has root "upload:" and its hash as key. `versions` names the stage versions this place is
             current at; `failed` the code it failed with at those versions. `removed`: its sample was deleted.
analyses     what a stage found for some bytes, shared by all who own them:
             {_id: "<hash>:<stage>:<version>", file_hash, stage, version, created_at, ...}
             stage "analyze": features, peaks;  stage "embed": tags, vector (float32 bytes)
jobs         one request: {_id, user_id, kind, state, path, request, created_at, finished_at, open, cancel, pause,
             scan: {...}, next_seq, final, problem, retry_of, fingerprint}
chunks       the unit of work, as chunks.Chunk describes it
failures     one per place of a finished chunk or slice: {_id: "<job>:<place>", job, user_id, chunk, place, path,
             code, message}
retried      which of them a job took up again: {_id: "<job>:<retry>", job, by, first, last, places (12 bytes each)}
counters     {_id: "samples:<user_id>", value};  {_id: "reindex:<model>:<user_id>", asked, value, changed, tagged}
             while an index is written anew;  {_id: "relabelled:<model>:<user_id>", changed, tagged} what that changed
keys         who may ask, as keys.py describes it
migrations   {_id: <number>, name, applied_at}
"""
