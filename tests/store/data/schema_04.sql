BEGIN;
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    request     TEXT    NOT NULL,            -- GenerationRequest as JSON
    status      TEXT    NOT NULL CHECK (status IN
                ('queued', 'leased', 'rendered', 'posted', 'done', 'failed', 'cancelled')),
    attempts    INTEGER NOT NULL DEFAULT 0,  -- how often a worker died while it painted this
    created_at  REAL    NOT NULL,            -- seconds since 1970, UTC
    leased_at   REAL,
    ended_at    REAL,
    guild_id    INTEGER,
    channel_id  INTEGER,
    message_id  INTEGER,                     -- the bot's own message that shows the job
    reason      TEXT,                        -- why it failed, as the person reads it
    seconds     REAL,                        -- time in the worker
    cost        INTEGER NOT NULL,            -- pictures reserved
    spoiler INTEGER NOT NULL DEFAULT 0, private INTEGER NOT NULL DEFAULT 0, origin TEXT, count INTEGER NOT NULL DEFAULT 1, from_rest INTEGER NOT NULL DEFAULT 0, from_extra INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO jobs VALUES ('010000000001', 1180000000000000201, '{"prompt": "mksks style, 1girl, red hair", "negative_prompt": "lowres", "width": 448, "height": 640, "seed": 7, "count": 2, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": null, "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795348860.0, 1795352400.0, 1795352460.0, 1180000000000000101, 1180000000000000301, 1180000000000010001, NULL, 12.5, 60620800, 0, 0, NULL, 2, 0, 0, 0);
INSERT INTO jobs VALUES ('010000000002', 1180000000000000202, '{"prompt": "1boy, \"quoted\" ''text''\nline two, \u9752\u3044\u9aea", "negative_prompt": "", "width": 512, "height": 512, "seed": 4294967295, "count": 1, "steps": 30, "cfg_scale": 4.5, "sampler": "Euler a", "schedule": "Automatic", "clip_skip": 1, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 0, "noise_source": "CPU", "emphasis": "No norm"}', 'posted', 0, 1795348920.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010002, NULL, 12.5, 7864320, 0, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('010000000003', 1180000000000000201, '{"prompt": "1girl, variation", "negative_prompt": "", "width": 448, "height": 640, "seed": 3, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 11, "subseed_strength": 0.25, "seed_resize_width": 512, "seed_resize_height": 768, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'rendered', 0, 1795348980.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010003, NULL, 12.5, 5734400, 0, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('010000000004', 1180000000000000202, '{"prompt": "1girl, twice", "negative_prompt": "", "width": 448, "height": 640, "seed": 4, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'leased', 1, 1795349040.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010004, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('010000000005', 1180000000000000201, '{"prompt": "1girl, waiting", "negative_prompt": "", "width": 448, "height": 640, "seed": 5, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349100.0, NULL, NULL, 1180000000000000101, 1180000000000000301, NULL, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('010000000006', 1180000000000000201, '{"prompt": "1girl, failing", "negative_prompt": "", "width": 448, "height": 640, "seed": 6, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 0, "height": 0, "scale": 1.5, "steps": 0, "denoising_strength": 0.5, "upscaler": "R-ESRGAN 4x+ Anime6B", "sampler": "DDIM", "schedule": "Automatic", "cfg_scale": 5.0, "prompt": "detailed", "negative_prompt": "blurry"}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'failed', 0, 1795349160.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010006, 'the bot stopped while this was painted, twice', NULL, 5734400, 0, 0, NULL, 1, 0, 0, 1);
INSERT INTO jobs VALUES ('010000000007', 1180000000000000202, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 8, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'cancelled', 0, 1795349220.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010007, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 1);
INSERT INTO jobs VALUES ('010000000008', 1180000000000000201, '{"prompt": "1girl, direct message", "negative_prompt": "", "width": 448, "height": 640, "seed": 9, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349280.0, NULL, NULL, NULL, 1180000000000000304, 1180000000000010008, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('020000000001', 1180000000000000201, '{"prompt": "1girl, hidden", "negative_prompt": "", "width": 448, "height": 640, "seed": 21, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795370460.0, 1795374000.0, 1795377600.0, 1180000000000000101, 1180000000000000301, 1180000000000020001, NULL, 3.25, 5734400, 1, 0, NULL, 1, 0, 0, 0);
INSERT INTO jobs VALUES ('020000000002', 1180000000000000202, '{"prompt": "1girl, painted over", "negative_prompt": "", "width": 448, "height": 640, "seed": 22, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC", "denoising_strength": 0.6, "resize_mode": "Crop and resize"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795370520.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000020002, NULL, NULL, 5734400, 0, 1, '010000000001', 1, 0, 0, 0);
INSERT INTO jobs VALUES ('030000000001', 1180000000000000201, '{"prompt": "1girl, paid from both", "negative_prompt": "", "width": 448, "height": 640, "seed": 31, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795392060.0, 1795392070.0, 1795392090.0, 1180000000000000101, 1180000000000000301, 1180000000000030001, NULL, 4.5, 5734400, 0, 0, NULL, 1, 5733400, 1000, 0);
INSERT INTO jobs VALUES ('030000000002', 1180000000000000201, '{"prompt": "1girl, reserved", "negative_prompt": "", "width": 448, "height": 640, "seed": 32, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "anything", "vae": "soft", "grid": null}', 'queued', 0, 1795392120.0, NULL, NULL, 1180000000000000101, 1180000000000000301, 1180000000000030002, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 5734400, 0);
INSERT INTO jobs VALUES ('030000000003', 1180000000000000202, '{"prompt": "1girl, given back", "negative_prompt": "", "width": 448, "height": 640, "seed": 33, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795392180.0, 1795392190.0, 1795392210.0, 1180000000000000101, 1180000000000000301, 1180000000000030003, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1);
INSERT INTO jobs VALUES ('040000000001', 1180000000000000201, '{"prompt": "1girl, in the gallery", "negative_prompt": "", "width": 448, "height": 640, "seed": 41, "count": 2, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795413660.0, 1795413670.0, 1795413690.0, 1180000000000000101, 1180000000000000301, 1180000000000040001, NULL, 4.5, 11468800, 0, 0, NULL, 2, 0, 0, 0);
INSERT INTO jobs VALUES ('040000000002', 1180000000000000202, '{"prompt": "1girl, swept away", "negative_prompt": "", "width": 448, "height": 640, "seed": 43, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795413720.0, 1795413730.0, 1795413750.0, 1180000000000000101, 1180000000000000301, 1180000000000040002, NULL, 4.5, 5734400, 0, 0, '040000000001', 1, 0, 0, 0);
CREATE TABLE memory (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO memory VALUES ('best_of:1180000000000000101', '2026-11-16');
INSERT INTO memory VALUES ('commands:1180000000000000001:global', 'abababababababababababababababababababababababababababababababab');
CREATE TABLE settings (
    scope       TEXT    NOT NULL CHECK (scope IN ('guild', 'channel', 'role', 'user')),
    id          INTEGER NOT NULL,            -- Discord's id of the server, channel, role or person
    name        TEXT    NOT NULL,
    value       TEXT    NOT NULL,            -- JSON
    PRIMARY KEY (scope, id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES ('channel', 1180000000000000301, 'cap_count', '2');
INSERT INTO settings VALUES ('channel', 1180000000000000301, 'draw.size', '"square"');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'best_of', 'true');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'draw.hires', 'false');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'gallery_channel', '1180000000000000303');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'house.prefix', '"masterpiece"');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'quota', '3000.0');
INSERT INTO settings VALUES ('role', 1180000000000000401, 'cap_steps', '40');
INSERT INTO settings VALUES ('role', 1180000000000000401, 'quota', '6000.0');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.cfg', '6.5');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.negative', '"lowres, bad hands"');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.spoiler', 'true');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.steps', '25');
CREATE TABLE balances (
    user_id     INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,            -- 0: direct messages
    day         INTEGER NOT NULL,            -- days since 1970, UTC: refilled up to here
    given       INTEGER NOT NULL,            -- what this day's refill was
    saved       INTEGER NOT NULL,            -- what unused allowance may add up to
    rest        INTEGER NOT NULL,            -- left of the allowance; below 0 where a role was lost after spending
    extra       INTEGER NOT NULL,            -- left of what admins granted
    PRIMARY KEY (user_id, guild_id)
) STRICT, WITHOUT ROWID;
INSERT INTO balances VALUES (1180000000000000201, 0, 20780, 3000000000, 9000000000, -5, 0);
INSERT INTO balances VALUES (1180000000000000201, 1180000000000000101, 20780, 3000000000, 9000000000, 0, 44000000);
INSERT INTO balances VALUES (1180000000000000202, 1180000000000000101, 20780, 3000000000, 9000000000, 2500000000, 0);
CREATE TABLE grants (
    number      INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    work        INTEGER NOT NULL,
    granted_by  INTEGER NOT NULL,
    granted_at  REAL    NOT NULL,
    reason      TEXT
) STRICT;
INSERT INTO grants VALUES (1, 1180000000000000201, 1180000000000000101, 50735000, 1180000000000000203, 1795392000.0, 'won the contest');
INSERT INTO grants VALUES (2, 1180000000000000201, 1180000000000000101, 1000000, 1180000000000000203, 1795392005.0, NULL);
CREATE TABLE "pictures" (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- 0, 1, ... in the order of their seeds
    file        TEXT,                        -- relative to the pictures folder, ab/cd/<sha256>.png; NULL: swept away
    size        INTEGER NOT NULL,            -- bytes of the file
    seed        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    infotext    TEXT    NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO pictures VALUES ('010000000001', 0, '010000000001/00-7.png', 0, 7, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000001', 1, '010000000001/01-8.png', 0, 8, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 8, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000002', 0, '010000000002/00-4294967295.png', 0, 4294967295, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 4294967295, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000003', 0, '010000000003/00-3.png', 0, 3, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 3, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('020000000001', 0, '020000000001/00-21.png', 0, 21, 448, 640, '1girl, hidden
Steps: 20, Seed: 21');
INSERT INTO pictures VALUES ('030000000001', 0, '030000000001/00-31.png', 0, 31, 448, 640, '1girl, paid from both
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 31, Size: 448x640, Clip skip: 2');
INSERT INTO pictures VALUES ('040000000001', 0, '6d/bc/6dbc5f42fa808ccecb542495a1b617bc47732b086d21ae89292307bc4790646d.png', 1000, 41, 448, 640, '1girl, in the gallery
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 41, Size: 448x640, Clip skip: 2');
INSERT INTO pictures VALUES ('040000000001', 1, '87/70/877057a5c2cef3c451bef636fb989dab2a3e3dd90d3594bc815c6de4e638130d.png', 1001, 42, 448, 640, '1girl, in the gallery
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 448x640, Clip skip: 2');
INSERT INTO pictures VALUES ('040000000002', 0, NULL, 900, 43, 448, 640, '1girl, swept away
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 43, Size: 448x640, Clip skip: 2');
CREATE TABLE gallery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: buttons carry it
    guild_id    INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,            -- its author
    job_id      TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    adult       INTEGER NOT NULL,            -- shown in age-restricted channels alone
    spoiler     INTEGER NOT NULL,
    prompt      TEXT    NOT NULL,
    shared_at   REAL    NOT NULL,            -- seconds since 1970, UTC
    channel_id  INTEGER,                     -- where the gallery's channel shows it
    message_id  INTEGER,
    UNIQUE (job_id, number),
    FOREIGN KEY (job_id, number) REFERENCES pictures (job_id, number) ON DELETE CASCADE
) STRICT;
INSERT INTO gallery VALUES (1, 1180000000000000101, 1180000000000000201, '040000000001', 0, 0, 0, '1girl, in the gallery', 1795413701.0, 1180000000000000303, 1180000000000040011);
INSERT INTO gallery VALUES (2, 1180000000000000101, 1180000000000000201, '040000000001', 1, 1, 1, '1girl, in the gallery', 1795413702.0, NULL, NULL);
INSERT INTO gallery VALUES (3, 1180000000000000101, 1180000000000000202, '040000000002', 0, 0, 0, '1girl, swept away', 1795413703.0, 1180000000000000303, 1180000000000040013);
CREATE TABLE votes (
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL,
    voted_at    REAL    NOT NULL,
    PRIMARY KEY (entry_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO votes VALUES (1, 1180000000000000202, 1795413800.0);
INSERT INTO votes VALUES (1, 1180000000000000203, 1795413800.0);
INSERT INTO votes VALUES (3, 1180000000000000201, 1795413800.0);
CREATE TABLE gallery_tags (
    tag         TEXT    NOT NULL,            -- as tags are compared
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, entry_id)
) STRICT, WITHOUT ROWID;
INSERT INTO gallery_tags VALUES ('1girl', 1);
INSERT INTO gallery_tags VALUES ('1girl', 2);
INSERT INTO gallery_tags VALUES ('1girl', 3);
INSERT INTO gallery_tags VALUES ('in the gallery', 1);
INSERT INTO gallery_tags VALUES ('in the gallery', 2);
INSERT INTO gallery_tags VALUES ('swept away', 3);
CREATE TABLE erasures (                      -- the bot's own messages that are to be deleted in Discord
    message_id  INTEGER PRIMARY KEY,
    channel_id  INTEGER NOT NULL,
    guild_id    INTEGER
) STRICT;
INSERT INTO erasures VALUES (1180000000000040014, 1180000000000000303, 1180000000000000101);
CREATE VIRTUAL TABLE gallery_search USING fts5 (prompt, content = 'gallery', content_rowid = 'id');
INSERT INTO gallery_search (gallery_search) VALUES ('rebuild');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('gallery', 4);
CREATE INDEX jobs_by_status ON jobs (status, created_at);
CREATE INDEX jobs_by_origin ON jobs (origin) WHERE origin IS NOT NULL;
CREATE INDEX grants_by_person ON grants (user_id, guild_id, granted_at);
CREATE INDEX jobs_by_person ON jobs (user_id, status, created_at);
CREATE INDEX jobs_by_lease ON jobs (leased_at, user_id, cost, count) WHERE leased_at IS NOT NULL;
CREATE INDEX jobs_in_line ON jobs (created_at, id, user_id, guild_id, cost, count, attempts) WHERE status = 'queued';
CREATE INDEX pictures_by_file ON pictures (file) WHERE file IS NOT NULL;
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX gallery_by_guild ON gallery (guild_id, shared_at);
CREATE INDEX gallery_by_user ON gallery (user_id);
CREATE INDEX gallery_by_message ON gallery (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX votes_by_user ON votes (user_id);
CREATE INDEX gallery_tags_by_entry ON gallery_tags (entry_id);
CREATE TRIGGER gallery_in AFTER INSERT ON gallery BEGIN
    INSERT INTO gallery_search (rowid, prompt) VALUES (new.id, new.prompt);
END;
CREATE TRIGGER gallery_out AFTER DELETE ON gallery BEGIN
    INSERT INTO gallery_search (gallery_search, rowid, prompt) VALUES ('delete', old.id, old.prompt);
    INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)
        SELECT old.message_id, old.channel_id, old.guild_id WHERE old.message_id IS NOT NULL;
END;
PRAGMA user_version = 4;
COMMIT;
