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
    day         TEXT    NOT NULL             -- the UTC day whose quota holds the reservation
, spoiler INTEGER NOT NULL DEFAULT 0, private INTEGER NOT NULL DEFAULT 0, origin TEXT) STRICT;
INSERT INTO jobs VALUES ('010000000001', 1180000000000000201, '{"prompt": "mksks style, 1girl, red hair", "negative_prompt": "lowres", "width": 448, "height": 640, "seed": 7, "count": 2, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": null, "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795348860.0, 1795352400.0, 1795352460.0, 1180000000000000101, 1180000000000000301, 1180000000000010001, NULL, 12.5, 2, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000002', 1180000000000000202, '{"prompt": "1boy, \"quoted\" ''text''\nline two, \u9752\u3044\u9aea", "negative_prompt": "", "width": 512, "height": 512, "seed": 4294967295, "count": 1, "steps": 30, "cfg_scale": 4.5, "sampler": "Euler a", "schedule": "Automatic", "clip_skip": 1, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 0, "noise_source": "CPU", "emphasis": "No norm"}', 'posted', 0, 1795348920.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010002, NULL, 12.5, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000003', 1180000000000000201, '{"prompt": "1girl, variation", "negative_prompt": "", "width": 448, "height": 640, "seed": 3, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 11, "subseed_strength": 0.25, "seed_resize_width": 512, "seed_resize_height": 768, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'rendered', 0, 1795348980.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010003, NULL, 12.5, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000004', 1180000000000000202, '{"prompt": "1girl, twice", "negative_prompt": "", "width": 448, "height": 640, "seed": 4, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'leased', 1, 1795349040.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010004, NULL, NULL, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000005', 1180000000000000201, '{"prompt": "1girl, waiting", "negative_prompt": "", "width": 448, "height": 640, "seed": 5, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349100.0, NULL, NULL, 1180000000000000101, 1180000000000000301, NULL, NULL, NULL, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000006', 1180000000000000201, '{"prompt": "1girl, failing", "negative_prompt": "", "width": 448, "height": 640, "seed": 6, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 0, "height": 0, "scale": 1.5, "steps": 0, "denoising_strength": 0.5, "upscaler": "R-ESRGAN 4x+ Anime6B", "sampler": "DDIM", "schedule": "Automatic", "cfg_scale": 5.0, "prompt": "detailed", "negative_prompt": "blurry"}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'failed', 0, 1795349160.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010006, 'the bot stopped while this was painted, twice', NULL, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000007', 1180000000000000202, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 8, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'cancelled', 0, 1795349220.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010007, NULL, NULL, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('010000000008', 1180000000000000201, '{"prompt": "1girl, direct message", "negative_prompt": "", "width": 448, "height": 640, "seed": 9, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349280.0, NULL, NULL, NULL, 1180000000000000304, 1180000000000010008, NULL, NULL, 1, '2026-11-22', 0, 0, NULL);
INSERT INTO jobs VALUES ('020000000001', 1180000000000000201, '{"prompt": "1girl, hidden", "negative_prompt": "", "width": 448, "height": 640, "seed": 21, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795370460.0, 1795374000.0, 1795377600.0, 1180000000000000101, 1180000000000000301, 1180000000000020001, NULL, 3.25, 1, '2026-11-22', 1, 0, NULL);
INSERT INTO jobs VALUES ('020000000002', 1180000000000000202, '{"prompt": "1girl, painted over", "negative_prompt": "", "width": 448, "height": 640, "seed": 22, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC", "denoising_strength": 0.6, "resize_mode": "Crop and resize"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795370520.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000020002, NULL, NULL, 1, '2026-11-22', 0, 1, '010000000001');
CREATE TABLE quotas (
    user_id     INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    used        INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (user_id, day)
) STRICT, WITHOUT ROWID;
INSERT INTO quotas VALUES (1180000000000000201, '2026-11-22', 6);
INSERT INTO quotas VALUES (1180000000000000202, '2026-11-22', 3);
CREATE TABLE pictures (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- 0, 1, ... in the order of their seeds
    file        TEXT    NOT NULL,            -- relative to the pictures folder
    seed        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    infotext    TEXT    NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO pictures VALUES ('010000000001', 0, '010000000001/00-7.png', 7, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000001', 1, '010000000001/01-8.png', 8, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 8, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000002', 0, '010000000002/00-4294967295.png', 4294967295, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 4294967295, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('010000000003', 0, '010000000003/00-3.png', 3, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 3, Size: 448x640, Model: pastel-mix, Clip skip: 2');
INSERT INTO pictures VALUES ('020000000001', 0, '020000000001/00-21.png', 21, 448, 640, '1girl, hidden
Steps: 20, Seed: 21');
CREATE TABLE memory (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
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
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'draw.hires', 'false');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'house.prefix', '"masterpiece"');
INSERT INTO settings VALUES ('role', 1180000000000000401, 'cap_steps', '40');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.cfg', '6.5');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.negative', '"lowres, bad hands"');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.spoiler', 'true');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.steps', '25');
CREATE INDEX jobs_by_status ON jobs (status, created_at);
CREATE INDEX jobs_by_user ON jobs (user_id, leased_at);
CREATE INDEX jobs_by_origin ON jobs (origin) WHERE origin IS NOT NULL;
PRAGMA user_version = 2;
COMMIT;
