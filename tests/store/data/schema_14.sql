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
    spoiler INTEGER NOT NULL DEFAULT 0, private INTEGER NOT NULL DEFAULT 0, origin TEXT, count INTEGER NOT NULL DEFAULT 1, from_rest INTEGER NOT NULL DEFAULT 0, from_extra INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0, adult_allowed INTEGER NOT NULL DEFAULT 0, review TEXT CHECK (review IN ('open', 'approved', 'rejected')), review_at REAL, review_channel_id INTEGER, review_message_id INTEGER, home_channel_id INTEGER, locale TEXT NOT NULL DEFAULT '', interaction_id INTEGER, part INTEGER NOT NULL DEFAULT 0, end_shown INTEGER NOT NULL DEFAULT 0, init_file TEXT, init_size INTEGER NOT NULL DEFAULT 0, made_with TEXT NOT NULL DEFAULT '', ready_message_id INTEGER) STRICT;
INSERT INTO jobs VALUES ('010000000001', 1180000000000000201, '{"prompt": "mksks style, 1girl, red hair", "negative_prompt": "lowres", "width": 448, "height": 640, "seed": 7, "count": 2, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": null, "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795348860.0, 1795352400.0, 1795352460.0, 1180000000000000101, 1180000000000000301, 1180000000000010001, NULL, 12.5, 60620800, 0, 0, NULL, 2, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000002', 1180000000000000202, '{"prompt": "1boy, \"quoted\" ''text''\nline two, \u9752\u3044\u9aea", "negative_prompt": "", "width": 512, "height": 512, "seed": 4294967295, "count": 1, "steps": 30, "cfg_scale": 4.5, "sampler": "Euler a", "schedule": "Automatic", "clip_skip": 1, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 0, "noise_source": "CPU", "emphasis": "No norm"}', 'posted', 0, 1795348920.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010002, NULL, 12.5, 7864320, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000003', 1180000000000000201, '{"prompt": "1girl, variation", "negative_prompt": "", "width": 448, "height": 640, "seed": 3, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 11, "subseed_strength": 0.25, "seed_resize_width": 512, "seed_resize_height": 768, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'rendered', 0, 1795348980.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010003, NULL, 12.5, 5734400, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000004', 1180000000000000202, '{"prompt": "1girl, twice", "negative_prompt": "", "width": 448, "height": 640, "seed": 4, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'leased', 1, 1795349040.0, 1795352400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000010004, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000005', 1180000000000000201, '{"prompt": "1girl, waiting", "negative_prompt": "", "width": 448, "height": 640, "seed": 5, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349100.0, NULL, NULL, 1180000000000000101, 1180000000000000301, NULL, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000006', 1180000000000000201, '{"prompt": "1girl, failing", "negative_prompt": "", "width": 448, "height": 640, "seed": 6, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 0, "height": 0, "scale": 1.5, "steps": 0, "denoising_strength": 0.5, "upscaler": "R-ESRGAN 4x+ Anime6B", "sampler": "DDIM", "schedule": "Automatic", "cfg_scale": 5.0, "prompt": "detailed", "negative_prompt": "blurry"}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'failed', 0, 1795349160.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010006, 'the bot stopped while this was painted, twice', NULL, 5734400, 0, 0, NULL, 1, 0, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000007', 1180000000000000202, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 8, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'cancelled', 0, 1795349220.0, NULL, 1795352400.0, 1180000000000000101, 1180000000000000301, 1180000000000010007, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('010000000008', 1180000000000000201, '{"prompt": "1girl, direct message", "negative_prompt": "", "width": 448, "height": 640, "seed": 9, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795349280.0, NULL, NULL, NULL, 1180000000000000304, 1180000000000010008, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('020000000001', 1180000000000000201, '{"prompt": "1girl, hidden", "negative_prompt": "", "width": 448, "height": 640, "seed": 21, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795370460.0, 1795374000.0, 1795377600.0, 1180000000000000101, 1180000000000000301, 1180000000000020001, NULL, 3.25, 5734400, 1, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('020000000002', 1180000000000000202, '{"prompt": "1girl, painted over", "negative_prompt": "", "width": 448, "height": 640, "seed": 22, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC", "denoising_strength": 0.6, "resize_mode": "Crop and resize"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'queued', 0, 1795370520.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000020002, NULL, NULL, 5734400, 0, 1, '010000000001', 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('030000000001', 1180000000000000201, '{"prompt": "1girl, paid from both", "negative_prompt": "", "width": 448, "height": 640, "seed": 31, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795392060.0, 1795392070.0, 1795392090.0, 1180000000000000101, 1180000000000000301, 1180000000000030001, NULL, 4.5, 5734400, 0, 0, NULL, 1, 5733400, 1000, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('030000000002', 1180000000000000201, '{"prompt": "1girl, reserved", "negative_prompt": "", "width": 448, "height": 640, "seed": 32, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "anything", "vae": "soft", "grid": null}', 'queued', 0, 1795392120.0, NULL, NULL, 1180000000000000101, 1180000000000000301, 1180000000000030002, NULL, NULL, 5734400, 0, 0, NULL, 1, 0, 5734400, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('030000000003', 1180000000000000202, '{"prompt": "1girl, given back", "negative_prompt": "", "width": 448, "height": 640, "seed": 33, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795392180.0, 1795392190.0, 1795392210.0, 1180000000000000101, 1180000000000000301, 1180000000000030003, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('040000000001', 1180000000000000201, '{"prompt": "1girl, in the gallery", "negative_prompt": "", "width": 448, "height": 640, "seed": 41, "count": 2, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795413660.0, 1795413670.0, 1795413690.0, 1180000000000000101, 1180000000000000301, 1180000000000040001, NULL, 4.5, 11468800, 0, 0, NULL, 2, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('040000000002', 1180000000000000202, '{"prompt": "1girl, swept away", "negative_prompt": "", "width": 448, "height": 640, "seed": 43, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original"}', 'done', 0, 1795413720.0, 1795413730.0, 1795413750.0, 1180000000000000101, 1180000000000000301, 1180000000000040002, NULL, 4.5, 5734400, 0, 0, '040000000001', 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('050000000001', 1180000000000000202, '{"prompt": "1girl, review open", "negative_prompt": "", "width": 448, "height": 640, "seed": 51, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'rendered', 0, 1795435260.0, 1795435270.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000050001, NULL, 4.5, 5734400, 0, 0, NULL, 1, 0, 0, 0, 0, 'open', 1795435200.0, 1180000000000000302, 1180000000000050011, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('050000000002', 1180000000000000202, '{"prompt": "1girl, review approved", "negative_prompt": "", "width": 448, "height": 640, "seed": 52, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795435320.0, 1795435330.0, 1795435350.0, 1180000000000000101, 1180000000000000301, 1180000000000050002, NULL, 4.5, 5734400, 0, 0, NULL, 1, 0, 0, 0, 1, 'approved', 1795435200.0, 1180000000000000302, 1180000000000050012, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('050000000003', 1180000000000000202, '{"prompt": "1girl, review rejected", "negative_prompt": "", "width": 448, "height": 640, "seed": 53, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795435380.0, 1795435390.0, 1795435410.0, 1180000000000000101, 1180000000000000301, 1180000000000050003, 'a moderator did not approve of it', NULL, 5734400, 0, 0, NULL, 1, 0, 0, 1, 0, 'rejected', 1795435200.0, 1180000000000000302, 1180000000000050013, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('070000000001', 1180000000000000201, '{"prompt": "1girl, private", "negative_prompt": "", "width": 448, "height": 640, "seed": 71, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'queued', 0, 1795478460.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000070001, NULL, NULL, 5734400, 0, 1, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 1180000000000000301, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000001', 1180000000000000201, '{"prompt": "1girl, rated", "negative_prompt": "", "width": 448, "height": 640, "seed": 81, "count": 6, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795500060.0, 1795502400.0, 1795502700.0, 1180000000000000101, 1180000000000000301, 1180000000000080001, NULL, 2.5, 34406400, 0, 0, NULL, 6, 34406400, 0, 0, 1, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000002', 1180000000000000202, '{"prompt": "1girl, grid", "negative_prompt": "", "width": 448, "height": 640, "seed": 82, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "anything", "vae": "soft", "grid": {"x": {"kind": "steps", "values": ["10", "20"]}, "y": {"kind": "sampler", "values": ["Euler a", "DDIM"]}}}', 'done', 0, 1795500120.0, 1795502400.0, 1795502700.0, 1180000000000000101, 1180000000000000301, 1180000000000080002, NULL, 2.5, 17203200, 0, 0, NULL, 4, 17203200, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000003', 1180000000000000201, '{"prompt": "1girl, stacked <lora:stars:0.8>", "negative_prompt": "", "width": 448, "height": 640, "seed": 83, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": "detailed", "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'posted', 0, 1795500180.0, 1795502400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000080003, NULL, 2.5, 30310400, 0, 0, NULL, 1, 30310400, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000004', 1180000000000000201, '{"prompt": "1girl, withheld", "negative_prompt": "", "width": 448, "height": 640, "seed": 84, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'rendered', 0, 1795500240.0, 1795502400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000080004, NULL, 2.5, 5734400, 1, 0, NULL, 1, 5734400, 0, 0, 0, 'open', 1795502460.0, 1180000000000000302, 1180000000000080054, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000005', 1180000000000000202, '{"prompt": "1girl, leased", "negative_prompt": "", "width": 448, "height": 640, "seed": 85, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "YSBmaWxl", "denoising_strength": 0.5, "resize_mode": "Resize and fill"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'leased', 0, 1795500300.0, 1795502400.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000080005, NULL, NULL, 3153920, 0, 0, '080000000001', 1, 3153920, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000006', 1180000000000000202, '{"prompt": "1girl, queued", "negative_prompt": "", "width": 448, "height": 640, "seed": 86, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'queued', 0, 1795500360.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000080006, NULL, NULL, 5734400, 0, 1, NULL, 1, 5734400, 0, 0, 0, NULL, NULL, NULL, NULL, 1180000000000000301, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000007', 1180000000000000203, '{"prompt": "1girl, failed", "negative_prompt": "", "width": 448, "height": 640, "seed": 87, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795500420.0, NULL, 1795503000.0, 1180000000000000101, 1180000000000000301, 1180000000000080007, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('080000000008', 1180000000000000203, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 88, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'cancelled', 0, 1795500480.0, NULL, 1795503000.0, 1180000000000000101, 1180000000000000301, 1180000000000080008, NULL, NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000001', 1180000000000000201, '{"prompt": "1girl, rated", "negative_prompt": "", "width": 448, "height": 640, "seed": 91, "count": 6, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795521660.0, 1795524000.0, 1795524300.0, 1180000000000000101, 1180000000000000301, 1180000000000090001, NULL, 2.5, 34406400, 0, 0, NULL, 6, 34406400, 0, 0, 1, NULL, NULL, NULL, NULL, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000002', 1180000000000000202, '{"prompt": "1girl, grid", "negative_prompt": "", "width": 448, "height": 640, "seed": 92, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "anything", "vae": "soft", "grid": {"x": {"kind": "steps", "values": ["10", "20"]}, "y": {"kind": "sampler", "values": ["Euler a", "DDIM"]}}}', 'done', 0, 1795521720.0, 1795524000.0, 1795524300.0, 1180000000000000101, 1180000000000000301, 1180000000000090002, NULL, 2.5, 17203200, 0, 0, NULL, 4, 17203200, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000003', 1180000000000000201, '{"prompt": "1girl, stacked <lora:stars:0.8>", "negative_prompt": "", "width": 448, "height": 640, "seed": 93, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": "detailed", "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'posted', 0, 1795521780.0, 1795524000.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000090003, NULL, 2.5, 30310400, 0, 0, NULL, 1, 30310400, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000004', 1180000000000000201, '{"prompt": "1girl, withheld", "negative_prompt": "", "width": 448, "height": 640, "seed": 94, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'rendered', 0, 1795521840.0, 1795524000.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000090004, NULL, 2.5, 5734400, 1, 0, NULL, 1, 5734400, 0, 0, 0, 'open', 1795524060.0, 1180000000000000302, 1180000000000090054, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000005', 1180000000000000202, '{"prompt": "1girl, leased", "negative_prompt": "", "width": 448, "height": 640, "seed": 95, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "YSBmaWxl", "denoising_strength": 0.5, "resize_mode": "Resize and fill"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'leased', 0, 1795521900.0, 1795524000.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000090005, NULL, NULL, 3153920, 0, 0, '090000000001', 1, 3153920, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000006', 1180000000000000202, '{"prompt": "1girl, queued", "negative_prompt": "", "width": 448, "height": 640, "seed": 96, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'queued', 0, 1795521960.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000090006, NULL, NULL, 5734400, 0, 1, NULL, 1, 5734400, 0, 0, 0, NULL, NULL, NULL, NULL, 1180000000000000301, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000007', 1180000000000000203, '{"prompt": "1girl, failed", "negative_prompt": "", "width": 448, "height": 640, "seed": 97, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795522020.0, NULL, 1795524600.0, 1180000000000000101, 1180000000000000301, 1180000000000090007, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('090000000008', 1180000000000000203, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 98, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'cancelled', 0, 1795522080.0, NULL, 1795524600.0, 1180000000000000101, 1180000000000000301, 1180000000000090008, NULL, NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000001', 1180000000000000201, '{"prompt": "1girl, rated", "negative_prompt": "", "width": 448, "height": 640, "seed": 101, "count": 6, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795543260.0, 1795545600.0, 1795545900.0, 1180000000000000101, 1180000000000000301, 1180000000000100001, NULL, 2.5, 34406400, 0, 0, NULL, 6, 34406400, 0, 0, 1, NULL, NULL, NULL, NULL, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000002', 1180000000000000202, '{"prompt": "1girl, grid", "negative_prompt": "", "width": 448, "height": 640, "seed": 102, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "anything", "vae": "soft", "grid": {"x": {"kind": "steps", "values": ["10", "20"]}, "y": {"kind": "sampler", "values": ["Euler a", "DDIM"]}}}', 'done', 0, 1795543320.0, 1795545600.0, 1795545900.0, 1180000000000000101, 1180000000000000301, 1180000000000100002, NULL, 2.5, 17203200, 0, 0, NULL, 4, 17203200, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000003', 1180000000000000201, '{"prompt": "1girl, stacked <lora:stars:0.8>", "negative_prompt": "", "width": 448, "height": 640, "seed": 103, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": {"width": 960, "height": 1280, "scale": 2.0, "steps": 20, "denoising_strength": 0.6, "upscaler": "Latent", "sampler": null, "schedule": null, "cfg_scale": null, "prompt": "detailed", "negative_prompt": null}, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'posted', 0, 1795543380.0, 1795545600.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000100003, NULL, 2.5, 30310400, 0, 0, NULL, 1, 30310400, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000004', 1180000000000000201, '{"prompt": "1girl, withheld", "negative_prompt": "", "width": 448, "height": 640, "seed": 104, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'rendered', 0, 1795543440.0, 1795545600.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000100004, NULL, 2.5, 5734400, 1, 0, NULL, 1, 5734400, 0, 0, 0, 'open', 1795545660.0, 1180000000000000302, 1180000000000100054, NULL, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000005', 1180000000000000202, '{"prompt": "1girl, leased", "negative_prompt": "", "width": 448, "height": 640, "seed": 105, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"file": "YSBmaWxl", "denoising_strength": 0.5, "resize_mode": "Resize and fill"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'leased', 0, 1795543500.0, 1795545600.0, NULL, 1180000000000000101, 1180000000000000301, 1180000000000100005, NULL, NULL, 3153920, 0, 0, '0a0000000001', 1, 3153920, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000006', 1180000000000000202, '{"prompt": "1girl, queued", "negative_prompt": "", "width": 448, "height": 640, "seed": 106, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'queued', 0, 1795543560.0, NULL, NULL, 1180000000000000101, 1180000000000000304, 1180000000000100006, NULL, NULL, 5734400, 0, 1, NULL, 1, 5734400, 0, 0, 0, NULL, NULL, NULL, NULL, 1180000000000000301, 'ja', NULL, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000007', 1180000000000000203, '{"prompt": "1girl, failed", "negative_prompt": "", "width": 448, "height": 640, "seed": 107, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795543620.0, NULL, 1795546200.0, 1180000000000000101, 1180000000000000301, 1180000000000100007, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0a0000000008', 1180000000000000203, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 108, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'cancelled', 0, 1795543680.0, NULL, 1795546200.0, 1180000000000000101, 1180000000000000301, 1180000000000100008, NULL, NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0b0000000001', 1180000000000000203, '{"prompt": "1girl, failed", "negative_prompt": "", "width": 448, "height": 640, "seed": 107, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'failed', 0, 1795564800.0, NULL, 1795564900.0, 1180000000000000101, 1180000000000000301, 1180000000000110011, 'the worker ran out of memory', NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', 1180000000000110003, 0, 0, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0b0000000002', 1180000000000000203, '{"prompt": "1girl, cancelled", "negative_prompt": "", "width": 448, "height": 640, "seed": 108, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'cancelled', 0, 1795564800.0, NULL, 1795564901.0, 1180000000000000101, 1180000000000000301, 1180000000000110012, NULL, NULL, 5734400, 0, 0, NULL, 1, 5734400, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, '', 1180000000000110003, 1, 1, NULL, 0, '', NULL);
INSERT INTO jobs VALUES ('0c0000000001', 1180000000000000201, '{"prompt": "1girl, started", "negative_prompt": "", "width": 64, "height": 96, "seed": 111, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": {"name": "b9/63/b963000000000000000000000000000000000000000000000000000000000000.png", "upload": 9800000, "width": 64, "height": 96, "denoising_strength": 0.5, "resize_mode": "Just resize"}, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795586400.0, NULL, 1795586430.0, 1180000000000000101, 1180000000000000301, 1180000000000120001, NULL, NULL, 9900000, 0, 0, NULL, 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', NULL, 0, 0, 'b9/63/b963000000000000000000000000000000000000000000000000000000000000.png', 5000, '', NULL);
INSERT INTO jobs VALUES ('0e0000000001', 1180000000000000201, '{"prompt": "1girl, varied", "negative_prompt": "", "width": 64, "height": 96, "seed": 112, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}', 'done', 0, 1795672800.0, NULL, 1795586430.0, 1180000000000000101, 1180000000000000301, 1180000000000140011, NULL, NULL, 9900000, 0, 0, '0c0000000001', 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '', 1180000000000140010, 0, 0, NULL, 0, 'vary', 1180000000000140012);
CREATE TABLE memory (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO memory VALUES ('best_of:1180000000000000101', '2026-11-16');
INSERT INTO memory VALUES ('checkpoint in use', 'anything');
INSERT INTO memory VALUES ('commands:1180000000000000001:global', 'abababababababababababababababababababababababababababababababab');
INSERT INTO memory VALUES ('hash:anything-v10.safetensors', '123:4560 000000000000000000000000000000000000000000000000000000000000000a');
INSERT INTO memory VALUES ('hash:anything-v8.safetensors', '123:4560 0000000000000000000000000000000000000000000000000000000000000008');
INSERT INTO memory VALUES ('hash:anything-v9.safetensors', '123:4560 0000000000000000000000000000000000000000000000000000000000000009');
INSERT INTO memory VALUES ('init pictures in rows', '45');
CREATE TABLE settings (
    scope       TEXT    NOT NULL CHECK (scope IN ('guild', 'channel', 'role', 'user')),
    id          INTEGER NOT NULL,            -- Discord's id of the server, channel, role or person
    name        TEXT    NOT NULL,
    value       TEXT    NOT NULL,            -- JSON
    PRIMARY KEY (scope, id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES ('channel', 1180000000000000301, 'cap_count', '2');
INSERT INTO settings VALUES ('channel', 1180000000000000301, 'draw.size', '"square"');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'admin_role', '1180000000000000402');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'adult_tags', '["swimsuit"]');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'best_of', 'true');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'cap_hires', '0');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'cap_size', '1024');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'channels', '{"1180000000000000301": "allow", "1180000000000000302": "deny"}');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'draw.hires', 'false');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'gallery_channel', '1180000000000000303');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'house.prefix', '"masterpiece"');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'house.suffix', '"best quality"');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'mod_channel', '1180000000000000302');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'quota', '3000.0');
INSERT INTO settings VALUES ('guild', 1180000000000000101, 'words', '["forbidden", "not this"]');
INSERT INTO settings VALUES ('guild', 1180000000000000102, 'drained', 'true');
INSERT INTO settings VALUES ('role', 1180000000000000401, 'cap_steps', '40');
INSERT INTO settings VALUES ('role', 1180000000000000401, 'quota', '6000.0');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.cfg', '6.5');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.negative', '"lowres, bad hands"');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.spoiler', 'true');
INSERT INTO settings VALUES ('user', 1180000000000000201, 'draw.steps', '25');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.checkpoint', '"anything"');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.clip_skip', '1');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.count', '2');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.denoise', '0.55');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.hires_scale', '1.5');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.private', 'false');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.sampler', '"Euler a"');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.schedule', '"Karras"');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.style', 'true');
INSERT INTO settings VALUES ('user', 1180000000000000202, 'draw.vae', '"soft"');
INSERT INTO settings VALUES ('user', 1180000000000000203, 'draw.steps', '10');
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
INSERT INTO balances VALUES (1180000000000000201, 1180000000000000101, 20781, 3000000000, 9000000000, 2788646400, 44000000);
INSERT INTO balances VALUES (1180000000000000202, 1180000000000000101, 20781, 3000000000, 9000000000, 5421725440, 0);
INSERT INTO balances VALUES (1180000000000000203, 1180000000000000101, 20781, 3000000000, 9000000000, 3000000000, 189000000);
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
INSERT INTO grants VALUES (3, 1180000000000000203, 1180000000000000101, 56000000, 1180000000000000201, 1795500000.0, 'version 8');
INSERT INTO grants VALUES (4, 1180000000000000203, 1180000000000000101, 63000000, 1180000000000000201, 1795521600.0, 'version 9');
INSERT INTO grants VALUES (5, 1180000000000000203, 1180000000000000101, 70000000, 1180000000000000201, 1795543200.0, 'version 10');
CREATE TABLE "pictures" (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- 0, 1, ... in the order of their seeds
    file        TEXT,                        -- relative to the pictures folder, ab/cd/<sha256>.png; NULL: swept away
    size        INTEGER NOT NULL,            -- bytes of the file
    seed        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    infotext    TEXT    NOT NULL, rating TEXT CHECK (rating IN
                ('general', 'sensitive', 'questionable', 'explicit', 'failed')),
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO pictures VALUES ('010000000001', 0, '010000000001/00-7.png', 0, 7, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 448x640, Model: pastel-mix, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('010000000001', 1, '010000000001/01-8.png', 0, 8, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 8, Size: 448x640, Model: pastel-mix, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('010000000002', 0, '010000000002/00-4294967295.png', 0, 4294967295, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 4294967295, Size: 448x640, Model: pastel-mix, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('010000000003', 0, '010000000003/00-3.png', 0, 3, 960, 1280, 'mksks style, 1girl, red hair
Negative prompt: lowres
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 3, Size: 448x640, Model: pastel-mix, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('020000000001', 0, '020000000001/00-21.png', 0, 21, 448, 640, '1girl, hidden
Steps: 20, Seed: 21', NULL);
INSERT INTO pictures VALUES ('030000000001', 0, '030000000001/00-31.png', 0, 31, 448, 640, '1girl, paid from both
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 31, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('040000000001', 0, '6d/bc/6dbc5f42fa808ccecb542495a1b617bc47732b086d21ae89292307bc4790646d.png', 1000, 41, 448, 640, '1girl, in the gallery
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 41, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('040000000001', 1, '87/70/877057a5c2cef3c451bef636fb989dab2a3e3dd90d3594bc815c6de4e638130d.png', 1001, 42, 448, 640, '1girl, in the gallery
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('040000000002', 0, NULL, 900, 43, 448, 640, '1girl, swept away
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 43, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('050000000001', 0, 'ae/5d/ae5dd0c8f5769cc5bb28016d788914ed7e32df42417bc9b336e56a5be61f473f.png', 1100, 51, 448, 640, '1girl, review open
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 51, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('050000000002', 0, 'ff/24/ff24aa1d961a006dbe7d59df923550c1f3101559ea4f3223c4a0cc7dfbc47dd0.png', 1100, 52, 448, 640, '1girl, review approved
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 52, Size: 448x640, Clip skip: 2', NULL);
INSERT INTO pictures VALUES ('080000000001', 0, 'b3/e7/b3e70e179ac9978ecb468b0d46d2d1c110b64e2b801e6cc9c26a4b975b241642.png', 5, 81, 448, 640, '1girl, rated
Steps: 20, Seed: 81', 'general');
INSERT INTO pictures VALUES ('080000000001', 1, 'ec/09/ec09096be5ccd5fee5e1818d6fee74b8e4e8fc708fa619e752dba66490663c60.png', 5, 82, 448, 640, '1girl, rated
Steps: 20, Seed: 82', 'sensitive');
INSERT INTO pictures VALUES ('080000000001', 2, '30/d7/30d70a4893882111b38cc00507822981fc9f5b6080bbb5c3fa701511cd503c74.png', 5, 83, 448, 640, '1girl, rated
Steps: 20, Seed: 83', 'questionable');
INSERT INTO pictures VALUES ('080000000001', 3, 'ba/42/ba4252c8d3a8e048f3c367f73c977b358081eecc26405ea43710df3741c372af.png', 5, 84, 448, 640, '1girl, rated
Steps: 20, Seed: 84', 'explicit');
INSERT INTO pictures VALUES ('080000000001', 4, '6b/6a/6b6aa7c906106cb833fd6fa6f30b4b58d65d7e40a83e390595d1c11281bec4ea.png', 5, 85, 448, 640, '1girl, rated
Steps: 20, Seed: 85', 'failed');
INSERT INTO pictures VALUES ('080000000001', 5, '35/1d/351d675ff98a000a41cc4d992a90df2264db2f7e103308ea4ecb5b545552509d.png', 5, 86, 448, 640, '1girl, rated
Steps: 20, Seed: 86', NULL);
INSERT INTO pictures VALUES ('080000000002', 0, 'c0/86/c0863ad5b0448b557267a3c57cc6736c3192e7fc8f09e9b8139eeed53ffe028e.png', 5, 82, 448, 640, '1girl, grid
Steps: 20, Seed: 82', 'general');
INSERT INTO pictures VALUES ('080000000003', 0, '0d/f1/0df1c70a60d6b1710f63bdefb469d022ce853a793c6bfe1ee904fbe495824af6.png', 5, 83, 448, 640, '1girl, stacked <lora:stars:0.8>
Steps: 20, Seed: 83', 'general');
INSERT INTO pictures VALUES ('080000000004', 0, '91/c2/91c25c7e595116c8ba125659c6dd446974785f4e5e052dbfcdb5ae843eb4c274.png', 5, 84, 448, 640, '1girl, withheld
Steps: 20, Seed: 84', 'explicit');
INSERT INTO pictures VALUES ('090000000001', 0, '31/9b/319ba5549dc686530ccc9e1d64321c05c9e3b36fb4cf8cd3f5fdf86e2dc2ec71.png', 5, 91, 448, 640, '1girl, rated
Steps: 20, Seed: 91', 'general');
INSERT INTO pictures VALUES ('090000000001', 1, '47/55/47554941dd8667d6a35023fc41e33fc02eb267252061676a0339070c88a81381.png', 5, 92, 448, 640, '1girl, rated
Steps: 20, Seed: 92', 'sensitive');
INSERT INTO pictures VALUES ('090000000001', 2, 'c0/6f/c06f6dca0949ca9786a73d1127b9823aba07ce0553d70e63b0d313eb1fa4d248.png', 5, 93, 448, 640, '1girl, rated
Steps: 20, Seed: 93', 'questionable');
INSERT INTO pictures VALUES ('090000000001', 3, 'a7/47/a747e1fd3a279886427b0b1aeebd3b700751913d4d6449317098f29e32aecd3d.png', 5, 94, 448, 640, '1girl, rated
Steps: 20, Seed: 94', 'explicit');
INSERT INTO pictures VALUES ('090000000001', 4, 'a7/73/a77326ac2b521c31f090ada83e70fd7b8f510defb5ab790a5996b3e70a7f3ed3.png', 5, 95, 448, 640, '1girl, rated
Steps: 20, Seed: 95', 'failed');
INSERT INTO pictures VALUES ('090000000001', 5, 'bb/7b/bb7bcf8b2333dead1daf0626da6eb942ebc376a20fff07b1ed339ac65bb7e1ae.png', 5, 96, 448, 640, '1girl, rated
Steps: 20, Seed: 96', NULL);
INSERT INTO pictures VALUES ('090000000002', 0, '26/67/26671decda6baa204a86fec710cb6f8a044cd593fb13fc444df220f625aeea3a.png', 5, 92, 448, 640, '1girl, grid
Steps: 20, Seed: 92', 'general');
INSERT INTO pictures VALUES ('090000000003', 0, 'a1/d1/a1d1d687a46bebfaafb79b61fc02741be959ee21cc053c932952f0e67a6500d2.png', 5, 93, 448, 640, '1girl, stacked <lora:stars:0.8>
Steps: 20, Seed: 93', 'general');
INSERT INTO pictures VALUES ('090000000004', 0, '31/9b/319b047226cdfa3585b13eb2966f1b7577b06bdc822579993a4a58cc1b9280d6.png', 5, 94, 448, 640, '1girl, withheld
Steps: 20, Seed: 94', 'explicit');
INSERT INTO pictures VALUES ('0a0000000001', 0, 'fd/78/fd7877e1460edc91cda273d4744087c7d78ecf6ce17f610ff9c372c02799d6fb.png', 6, 101, 448, 640, '1girl, rated
Steps: 20, Seed: 101', 'general');
INSERT INTO pictures VALUES ('0a0000000001', 1, '9f/7a/9f7aafbb00f5331548cf67eaa28a689ccf14fffe2a180af2d95cbb3ea9d75d56.png', 6, 102, 448, 640, '1girl, rated
Steps: 20, Seed: 102', 'sensitive');
INSERT INTO pictures VALUES ('0a0000000001', 2, 'ea/89/ea89b5136beedcc6dba2b8b19dd47d9728ad82bfff4910d23bedb451c83cfa87.png', 6, 103, 448, 640, '1girl, rated
Steps: 20, Seed: 103', 'questionable');
INSERT INTO pictures VALUES ('0a0000000001', 3, '98/57/98578ac07f72a8120b08f376a0ffb6d63d1457073ade05df857aa703639b22d0.png', 6, 104, 448, 640, '1girl, rated
Steps: 20, Seed: 104', 'explicit');
INSERT INTO pictures VALUES ('0a0000000001', 4, '76/41/76416f169154038518f46564310704594421b2a26685b32b68f400fda08fd240.png', 6, 105, 448, 640, '1girl, rated
Steps: 20, Seed: 105', 'failed');
INSERT INTO pictures VALUES ('0a0000000001', 5, 'ee/42/ee422776550dc8e14729308eb2aa4460ca50b07128c958e58d4a141915a110f5.png', 6, 106, 448, 640, '1girl, rated
Steps: 20, Seed: 106', NULL);
INSERT INTO pictures VALUES ('0a0000000002', 0, '4d/cc/4dcccb836b0b2ed84cdf912d31b48a9858eadcb6ca24c2385d008d6624cc7ff8.png', 6, 102, 448, 640, '1girl, grid
Steps: 20, Seed: 102', 'general');
INSERT INTO pictures VALUES ('0a0000000003', 0, '0f/e2/0fe2f538889c62b23f4bdedaa29a0f6c57065a8338850a30000e91b84bd9c515.png', 6, 103, 448, 640, '1girl, stacked <lora:stars:0.8>
Steps: 20, Seed: 103', 'general');
INSERT INTO pictures VALUES ('0a0000000004', 0, '32/74/32749af8698b1e752a734f94f2782f8f0f4dc332284fc016358f7cd2e731dd81.png', 6, 104, 448, 640, '1girl, withheld
Steps: 20, Seed: 104', 'explicit');
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
INSERT INTO gallery VALUES (5, 1180000000000000101, 1180000000000000201, '080000000001', 0, 0, 0, '1girl, rated', 1795503300.0, 1180000000000000303, 1180000000000080080);
INSERT INTO gallery VALUES (6, 1180000000000000101, 1180000000000000201, '090000000001', 0, 0, 0, '1girl, rated', 1795524900.0, 1180000000000000303, 1180000000000090080);
INSERT INTO gallery VALUES (7, 1180000000000000101, 1180000000000000201, '0a0000000001', 0, 0, 0, '1girl, rated', 1795546500.0, 1180000000000000303, 1180000000000100080);
INSERT INTO gallery VALUES (8, 1180000000000000101, 1180000000000000201, '0a0000000001', 1, 1, 0, '1girl, rated', 1795546560.0, NULL, NULL);
CREATE TABLE votes (
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL,
    voted_at    REAL    NOT NULL,
    PRIMARY KEY (entry_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO votes VALUES (1, 1180000000000000202, 1795413800.0);
INSERT INTO votes VALUES (1, 1180000000000000203, 1795413800.0);
INSERT INTO votes VALUES (3, 1180000000000000201, 1795413800.0);
INSERT INTO votes VALUES (5, 1180000000000000202, 1795503360.0);
INSERT INTO votes VALUES (6, 1180000000000000202, 1795524960.0);
INSERT INTO votes VALUES (7, 1180000000000000202, 1795546560.0);
CREATE TABLE gallery_tags (
    tag         TEXT    NOT NULL,            -- as tags are compared
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, entry_id)
) STRICT, WITHOUT ROWID;
INSERT INTO gallery_tags VALUES ('1girl', 1);
INSERT INTO gallery_tags VALUES ('1girl', 2);
INSERT INTO gallery_tags VALUES ('1girl', 3);
INSERT INTO gallery_tags VALUES ('1girl', 5);
INSERT INTO gallery_tags VALUES ('1girl', 6);
INSERT INTO gallery_tags VALUES ('1girl', 7);
INSERT INTO gallery_tags VALUES ('1girl', 8);
INSERT INTO gallery_tags VALUES ('in the gallery', 1);
INSERT INTO gallery_tags VALUES ('in the gallery', 2);
INSERT INTO gallery_tags VALUES ('rated', 5);
INSERT INTO gallery_tags VALUES ('rated', 6);
INSERT INTO gallery_tags VALUES ('rated', 7);
INSERT INTO gallery_tags VALUES ('swept away', 3);
CREATE TABLE erasures (                      -- the bot's own messages that are to be deleted in Discord
    message_id  INTEGER PRIMARY KEY,
    channel_id  INTEGER NOT NULL,
    guild_id    INTEGER
) STRICT;
INSERT INTO erasures VALUES (1180000000000040014, 1180000000000000303, 1180000000000000101);
INSERT INTO erasures VALUES (1180000000000100082, 1180000000000000301, 1180000000000000101);
CREATE TABLE blocks (
    guild_id    INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    until       REAL,                        -- NULL: until somebody unblocks the person
    reason      TEXT,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO blocks VALUES (1180000000000000101, 1180000000000000202, 1826971200.0, 'spam');
INSERT INTO blocks VALUES (1180000000000000101, 1180000000000001209, NULL, 'spam');
INSERT INTO blocks VALUES (1180000000000000101, 1180000000000001210, NULL, 'spam');
INSERT INTO blocks VALUES (1180000000000000101, 1180000000000001211, NULL, 'spam');
INSERT INTO blocks VALUES (1180000000000000102, 1180000000000000201, NULL, NULL);
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          REAL    NOT NULL,
    guild_id    INTEGER,                     -- NULL: in a direct message
    user_id     INTEGER NOT NULL,            -- who did it
    action      TEXT    NOT NULL,
    target_id   INTEGER,                     -- to whom, where it was done to somebody
    job_id      TEXT,                        -- its prompt is in the job alone, for as long as that is kept
    detail      TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO audit VALUES (1, 1795435260.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '050000000001', '');
INSERT INTO audit VALUES (2, 1795435320.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '050000000002', '');
INSERT INTO audit VALUES (3, 1795435380.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '050000000003', '');
INSERT INTO audit VALUES (4, 1795435200.0, 1180000000000000101, 1180000000000000203, 'block', 1180000000000000202, NULL, 'for 365 days (spam)');
INSERT INTO audit VALUES (5, 1795435201.0, 1180000000000000101, 1180000000000000203, 'approve', 1180000000000000202, '050000000002', '');
INSERT INTO audit VALUES (6, 1795435202.0, 1180000000000000101, 1180000000000000203, 'caps', NULL, NULL, '<@&1180000000000000401>: steps 40');
INSERT INTO audit VALUES (7, 1795435209.0, NULL, 1180000000000000201, 'paint', NULL, '000000000000', '');
INSERT INTO audit VALUES (8, 1795478460.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '070000000001', '');
INSERT INTO audit VALUES (9, 1795500060.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '080000000001', '');
INSERT INTO audit VALUES (10, 1795500120.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '080000000002', '');
INSERT INTO audit VALUES (11, 1795500180.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '080000000003', '');
INSERT INTO audit VALUES (12, 1795500240.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '080000000004', '');
INSERT INTO audit VALUES (13, 1795500300.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '080000000005', '');
INSERT INTO audit VALUES (14, 1795500360.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '080000000006', '');
INSERT INTO audit VALUES (15, 1795500420.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '080000000007', '');
INSERT INTO audit VALUES (16, 1795500480.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '080000000008', '');
INSERT INTO audit VALUES (17, 1795500000.0, 1180000000000000101, 1180000000000000203, 'drain', NULL, NULL, 'version 8');
INSERT INTO audit VALUES (18, 1795521660.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '090000000001', '');
INSERT INTO audit VALUES (19, 1795521720.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '090000000002', '');
INSERT INTO audit VALUES (20, 1795521780.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '090000000003', '');
INSERT INTO audit VALUES (21, 1795521840.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '090000000004', '');
INSERT INTO audit VALUES (22, 1795521900.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '090000000005', '');
INSERT INTO audit VALUES (23, 1795521960.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '090000000006', '');
INSERT INTO audit VALUES (24, 1795522020.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '090000000007', '');
INSERT INTO audit VALUES (25, 1795522080.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '090000000008', '');
INSERT INTO audit VALUES (26, 1795521600.0, 1180000000000000101, 1180000000000000203, 'drain', NULL, NULL, 'version 9');
INSERT INTO audit VALUES (27, 1795543260.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '0a0000000001', '');
INSERT INTO audit VALUES (28, 1795543320.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '0a0000000002', '');
INSERT INTO audit VALUES (29, 1795543380.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '0a0000000003', '');
INSERT INTO audit VALUES (30, 1795543440.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '0a0000000004', '');
INSERT INTO audit VALUES (31, 1795543500.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '0a0000000005', '');
INSERT INTO audit VALUES (32, 1795543560.0, 1180000000000000101, 1180000000000000202, 'paint', NULL, '0a0000000006', '');
INSERT INTO audit VALUES (33, 1795543620.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '0a0000000007', '');
INSERT INTO audit VALUES (34, 1795543680.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '0a0000000008', '');
INSERT INTO audit VALUES (35, 1795543200.0, 1180000000000000101, 1180000000000000203, 'drain', NULL, NULL, 'version 10');
INSERT INTO audit VALUES (36, 1795564800.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '0b0000000001', '');
INSERT INTO audit VALUES (37, 1795564800.0, 1180000000000000101, 1180000000000000203, 'paint', NULL, '0b0000000002', '');
INSERT INTO audit VALUES (38, 1795586400.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '0c0000000001', '');
INSERT INTO audit VALUES (39, 1795672800.0, 1180000000000000101, 1180000000000000201, 'paint', NULL, '0e0000000001', '');
CREATE TABLE tag_sets (
    id          INTEGER PRIMARY KEY,         -- its rows in the other tables have ids from id << 24 on
    state       TEXT    NOT NULL CHECK (state IN ('filling', 'current', 'old')),
    touched_at  REAL    NOT NULL,            -- seconds since 1970, UTC; a filling set that nobody touches was abandoned
    shipped     TEXT    NOT NULL,            -- digest of the shipped vocabulary inside
    source      TEXT    NOT NULL             -- the file or address last imported; empty: none
) STRICT;
INSERT INTO tag_sets VALUES (1, 'old', 1795456800.0, 'digest1', '');
INSERT INTO tag_sets VALUES (2, 'current', 1795456900.0, 'digest2', 'danbooru.csv');
INSERT INTO tag_sets VALUES (3, 'filling', 1795457000.0, 'digest3', 'other.csv');
CREATE TABLE tags (
    id          INTEGER PRIMARY KEY,         -- ascending from the most to the least used; also the id of its name's spelling
    name        TEXT    NOT NULL,            -- as in the file: long_hair
    category    INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    aliases     TEXT    NOT NULL,            -- with commas between them
    origin      INTEGER NOT NULL             -- 1 shipped, 2 imported, 3 both
) STRICT;
INSERT INTO tags VALUES (16777216, 'old_tag', 0, 3, '', 1);
INSERT INTO tags VALUES (33554432, 'long_hair', 0, 4350743, 'longhair,very_long', 3);
INSERT INTO tags VALUES (33554435, 'red_hair', 0, 800, 'redhead', 1);
INSERT INTO tags VALUES (33554437, 'saber_(fate)', 4, 50, '', 2);
INSERT INTO tags VALUES (50331648, 'half_done', 0, 3, '', 2);
CREATE TABLE tag_spellings (
    id          INTEGER PRIMARY KEY,         -- a tag's name, and then its aliases
    tag_id      INTEGER NOT NULL,
    key         TEXT    NOT NULL,            -- as it is compared: long hair
    backwards   TEXT    NOT NULL,            -- riah gnol: finds what ends alike
    length      INTEGER NOT NULL
) STRICT;
INSERT INTO tag_spellings VALUES (16777216, 16777216, 'old tag', 'gat dlo', 7);
INSERT INTO tag_spellings VALUES (33554432, 33554432, 'long hair', 'riah gnol', 9);
INSERT INTO tag_spellings VALUES (33554433, 33554432, 'longhair', 'riahgnol', 8);
INSERT INTO tag_spellings VALUES (33554434, 33554432, 'very long', 'gnol yrev', 9);
INSERT INTO tag_spellings VALUES (33554435, 33554435, 'red hair', 'riah der', 8);
INSERT INTO tag_spellings VALUES (33554436, 33554435, 'redhead', 'daehder', 7);
INSERT INTO tag_spellings VALUES (33554437, 33554437, 'saber (fate)', ')etaf( rebas', 12);
INSERT INTO tag_spellings VALUES (50331648, 50331648, 'half done', 'enod flah', 9);
CREATE TABLE presets (
    owner_id    INTEGER NOT NULL,            -- who saved it
    guild_id    INTEGER NOT NULL,            -- the server that may use it; 0: its owner alone
    key         TEXT    NOT NULL,            -- the name as it is compared
    name        TEXT    NOT NULL,            -- the name as it was written
    wish        TEXT    NOT NULL,            -- JSON, the values by name
    saved_at    REAL    NOT NULL
) STRICT;
INSERT INTO presets VALUES (1180000000000000201, 0, 'watercolor', 'Watercolor', '{"prompt": "{prompt}, watercolor", "negative": "lowres", "size": "512x768", "steps": 30, "cfg": 6.5, "sampler": "Euler a", "hires": true, "hires_scale": 1.5, "count": 2, "spoiler": false}', 1795478400.0);
INSERT INTO presets VALUES (1180000000000000201, 1180000000000000101, 'nuit étoilée', 'Nuit Étoilée', '{"prompt": "starry sky", "lora": "<lora:stars:0.8>", "seed": 77, "schedule": "Karras", "clip_skip": 1, "denoise": 0.5, "checkpoint": "anything", "vae": "soft", "style": true, "avoid": "text", "aspect": "16:9", "hires_size": "1280x960", "hires_steps": 10, "hires_upscaler": "Latent"}', 1795478401.0);
INSERT INTO presets VALUES (0, 1180000000000000101, 'forgotten', 'forgotten', '{"steps": 10}', 1795478402.0);
INSERT INTO presets VALUES (1180000000000000203, 0, 'version 8', 'Version 8', '{"prompt": "1girl", "steps": 8}', 1795500000.0);
INSERT INTO presets VALUES (1180000000000000203, 0, 'version 9', 'Version 9', '{"prompt": "1girl", "steps": 9}', 1795521600.0);
INSERT INTO presets VALUES (1180000000000000203, 0, 'version 10', 'Version 10', '{"prompt": "1girl", "steps": 10}', 1795543200.0);
CREATE TABLE confirmations (
    id          TEXT    PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    plan        TEXT    NOT NULL,            -- JSON: what is queued when it is confirmed
    asked_at    REAL    NOT NULL
, init_file TEXT) STRICT, WITHOUT ROWID;
INSERT INTO confirmations VALUES ('070000000065', 1180000000000000201, '{"guild_id": 1180000000000000101, "requests": [{"prompt": "1girl, cat", "negative_prompt": "", "width": 448, "height": 640, "seed": 70, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, dog", "negative_prompt": "", "width": 448, "height": 640, "seed": 71, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": true, "private": false, "origin": "010000000001", "adult_allowed": false, "home_channel_id": null}, "init": null}', 1795478900.0, NULL);
INSERT INTO confirmations VALUES ('070000000066', 1180000000000000202, '{"guild_id": null, "requests": [{"prompt": "1girl, cat", "negative_prompt": "", "width": 448, "height": 640, "seed": 70, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, dog", "negative_prompt": "", "width": 448, "height": 640, "seed": 71, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": true, "private": false, "origin": "010000000001", "adult_allowed": false, "home_channel_id": null}, "init": {"file": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC", "denoising_strength": 0.75, "resize_mode": "Just resize"}}', 1795478901.0, NULL);
INSERT INTO confirmations VALUES ('080000000065', 1180000000000000203, '{"guild_id": 1180000000000000101, "requests": [{"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 80, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 81, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": false, "private": false, "origin": null, "adult_allowed": false, "home_channel_id": null}, "init": null}', 1795500000.0, NULL);
INSERT INTO confirmations VALUES ('090000000065', 1180000000000000203, '{"guild_id": 1180000000000000101, "requests": [{"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 90, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 91, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": false, "private": false, "origin": null, "adult_allowed": false, "home_channel_id": null, "locale": "ja"}, "init": null}', 1795521600.0, NULL);
INSERT INTO confirmations VALUES ('0a0000000065', 1180000000000000203, '{"guild_id": 1180000000000000101, "requests": [{"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 100, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, plan", "negative_prompt": "", "width": 448, "height": 640, "seed": 101, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": false, "private": false, "origin": null, "adult_allowed": false, "home_channel_id": null, "locale": "ja"}, "init": null}', 1795543200.0, NULL);
INSERT INTO confirmations VALUES ('0c0000000065', 1180000000000000201, '{"guild_id": 1180000000000000101, "requests": [{"prompt": "1girl, cat", "negative_prompt": "", "width": 64, "height": 96, "seed": 111, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}, {"prompt": "1girl, dog", "negative_prompt": "", "width": 64, "height": 96, "seed": 111, "count": 1, "steps": 20, "cfg_scale": 7.0, "sampler": "DPM++ 2M", "schedule": "Karras", "clip_skip": 2, "hires": null, "init": null, "subseed": 0, "subseed_strength": 0.0, "seed_resize_width": 0, "seed_resize_height": 0, "eta_noise_seed_delta": 31337, "noise_source": "NV", "emphasis": "Original", "checkpoint": "", "vae": "", "grid": null}], "options": {"spoiler": false, "private": false, "origin": null, "adult_allowed": false, "home_channel_id": null, "locale": ""}, "init": {"name": "b9/63/b963000000000000000000000000000000000000000000000000000000000000.png", "upload": 9800000, "width": 64, "height": 96, "denoising_strength": 0.5, "resize_mode": "Just resize"}}', 1795586400.0, 'b9/63/b963000000000000000000000000000000000000000000000000000000000000.png');
CREATE TABLE gallery_copies (
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    message_id  INTEGER NOT NULL,            -- a page for everybody, or a week's best
    channel_id  INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    PRIMARY KEY (entry_id, message_id)
) STRICT, WITHOUT ROWID;
INSERT INTO gallery_copies VALUES (7, 1180000000000100081, 1180000000000000301, 1180000000000000101);
INSERT INTO gallery_copies VALUES (8, 1180000000000100081, 1180000000000000301, 1180000000000000101);
CREATE TABLE begun_messages (                -- direct messages of jobs that are not queued yet
    id             INTEGER PRIMARY KEY,
    channel_id     INTEGER NOT NULL,
    message_id     INTEGER,                  -- NULL: Discord has not answered
    interaction_id INTEGER NOT NULL,         -- what asked for it; messages have greater numbers than what was before them
    begun_at       REAL    NOT NULL          -- seconds since 1970, UTC
) STRICT;
INSERT INTO begun_messages VALUES (1, 1180000000000000304, 1180000000000110001, 1180000000000110000, 1795564800.0);
INSERT INTO begun_messages VALUES (2, 1180000000000000304, NULL, 1180000000000110002, 1795564860.0);
CREATE TABLE web_accounts (
    user_id    INTEGER PRIMARY KEY,   -- negative, as Discord's are positive; -1 is the user of a page without sign-in
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    password   TEXT NOT NULL,         -- scrypt's parameters, salt and hash
    created_at REAL NOT NULL          -- seconds since 1970, UTC
) STRICT;
INSERT INTO web_accounts VALUES (-2, 'hana', 'scrypt$65536$8$2$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 1795946400.0);
CREATE TABLE web_tickets (
    digest     TEXT PRIMARY KEY,      -- SHA-256 of the token, which only the browser has
    kind       TEXT NOT NULL,         -- link: signs in once; session: a browser that is signed in
    user_id    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    actor      TEXT NOT NULL,         -- JSON: where the user paints, and with which rights
    expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO web_tickets VALUES ('abababababababababababababababababababababababababababababababab', 'session', -2, 'hana', '{"user_id": -2, "guild_id": -1, "channel_id": null, "places": [], "role_ids": [], "manages_messages": false, "manages_server": false, "age_restricted": false}', 2111306400.0);
CREATE VIRTUAL TABLE gallery_search USING fts5 (prompt, content = 'gallery', content_rowid = 'id');
INSERT INTO gallery_search (gallery_search) VALUES ('rebuild');
CREATE VIRTUAL TABLE tag_words USING fts5 (
    key, content = 'tag_spellings', content_rowid = 'id', prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"  -- words are what has spaces around it
);
INSERT INTO tag_words (tag_words) VALUES ('rebuild');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('gallery', 9);
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
CREATE INDEX audit_by_guild ON audit (guild_id, id);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX jobs_by_review ON jobs (review, review_at) WHERE review IS NOT NULL;
CREATE UNIQUE INDEX tag_sets_current ON tag_sets (state) WHERE state = 'current';
CREATE INDEX tag_spellings_key ON tag_spellings (length, key);
CREATE INDEX tag_spellings_backwards ON tag_spellings (length, backwards, key);
CREATE UNIQUE INDEX presets_of_people ON presets (owner_id, key) WHERE guild_id = 0;
CREATE UNIQUE INDEX presets_of_servers ON presets (guild_id, key) WHERE guild_id <> 0;
CREATE INDEX gallery_copies_by_message ON gallery_copies (message_id);
CREATE INDEX gallery_copies_by_channel ON gallery_copies (channel_id);
CREATE UNIQUE INDEX jobs_by_interaction ON jobs (interaction_id, part) WHERE interaction_id IS NOT NULL;
CREATE INDEX jobs_not_shown_ended ON jobs (ended_at) WHERE status IN ('failed', 'cancelled') AND NOT end_shown;
CREATE INDEX jobs_by_init ON jobs (init_file) WHERE init_file IS NOT NULL;
CREATE INDEX web_tickets_by_expiry ON web_tickets (expires_at);
CREATE INDEX web_tickets_by_user ON web_tickets (user_id);
CREATE TRIGGER gallery_in AFTER INSERT ON gallery BEGIN
    INSERT INTO gallery_search (rowid, prompt) VALUES (new.id, new.prompt);
END;
CREATE TRIGGER gallery_out AFTER DELETE ON gallery BEGIN
    INSERT INTO gallery_search (gallery_search, rowid, prompt) VALUES ('delete', old.id, old.prompt);
    INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)
        SELECT old.message_id, old.channel_id, old.guild_id WHERE old.message_id IS NOT NULL;
END;
CREATE TRIGGER jobs_are_logged AFTER INSERT ON jobs BEGIN
    INSERT INTO audit (at, guild_id, user_id, action, job_id)
    VALUES (NEW.created_at, NEW.guild_id, NEW.user_id, 'paint', NEW.id);
END;
CREATE TRIGGER gallery_copies_out BEFORE DELETE ON gallery BEGIN
    INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)
        SELECT message_id, channel_id, guild_id FROM gallery_copies WHERE entry_id = old.id;
END;
PRAGMA user_version = 14;
COMMIT;
