-- SPDX-License-Identifier: Apache-2.0
-- schema.sql - tables of the index file; lmscope-index(5) explains them.  Built into the program.

-- What the file is the index of, and how it was made: one row a fact.
CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value
) WITHOUT ROWID;

-- Finished units of work; what has no row is still to be done.
CREATE TABLE progress (
	work TEXT,			-- 'vocabulary', 'decode', 'activation', 'posting'
	layer INTEGER,			-- -1 where the work has no layers
	PRIMARY KEY (work, layer)
) WITHOUT ROWID;

-- The vocabulary.
CREATE TABLE token (
	id INTEGER PRIMARY KEY,
	text BLOB,			-- exact bytes in running text; NULL: an unused id
	shown TEXT,			-- the same, escaped so that a terminal can take it
	special INTEGER			-- 1: a special token
);
CREATE INDEX token_text ON token (text);

-- Names of the numbers in columns called side and class.
CREATE TABLE side (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE class (id INTEGER PRIMARY KEY, name TEXT);

-- MLP neurons.
CREATE TABLE neuron (
	id INTEGER PRIMARY KEY,		-- layer * hidden + neuron
	layer INTEGER,
	neuron INTEGER,
	cos_up_down REAL,		-- gains of the MLP's norm folded into up and gate
	cos_gate_down REAL,		-- NULL without a gate, as the next
	cos_gate_up REAL,
	class INTEGER			-- functional class
);

-- Decode of a neuron's weight vector through the unembedding, prepared as meta's prep says.
CREATE TABLE decode (
	side INTEGER,
	neuron INTEGER,			-- neuron.id
	token INTEGER,			-- of the largest score
	score REAL,			-- that score
	prob REAL,			-- and its probability under a softmax of the scores
	norm REAL,			-- length of the vector as stored
	lse REAL,			-- log of the sum of exponentials of all scores, nats
	entropy REAL,			-- of that softmax, nats
	mean REAL,			-- of the scores over the vocabulary, as the next three
	sd REAL,
	skewness REAL,
	kurtosis REAL,			-- excess
	zscore REAL,			-- (score - mean) / sd
	PRIMARY KEY (side, neuron)
) WITHOUT ROWID;

-- The largest and smallest scores: little-endian pairs of u32 id and f32 score, best first.
CREATE TABLE ranks (
	side INTEGER,
	neuron INTEGER,
	top BLOB,
	bottom BLOB,
	PRIMARY KEY (side, neuron)
) WITHOUT ROWID;

-- The same turned around: neurons that rank a token, best first.
CREATE TABLE posting (
	side INTEGER,
	token INTEGER,
	score REAL,
	neuron INTEGER,
	PRIMARY KEY (side, token, score DESC, neuron)
) WITHOUT ROWID;

-- What the reference prompts show of each neuron, over all their positions but the first.
CREATE TABLE prompt (
	id INTEGER PRIMARY KEY,
	text BLOB,
	ids BLOB			-- little-endian u32
);
CREATE TABLE activation (
	neuron INTEGER PRIMARY KEY,	-- neuron.id
	act_mean REAL,
	act_sd REAL,
	act_low REAL,
	act_high REAL,
	high_prompt INTEGER,		-- where act_high was seen: prompt.id
	high_pos INTEGER,		-- and the position in it
	up_sd REAL,
	up_max REAL,			-- largest magnitude
	gate_sd REAL,			-- NULL without a gate, as the next
	gate_max REAL
);

-- A layer at a glance, made with the postings.
CREATE TABLE layer (
	side INTEGER,
	layer INTEGER,
	neurons INTEGER,
	kurtosis REAL,			-- means over the layer's neurons
	zscore REAL,
	enriching REAL,			-- shares of neurons of the enrichment and the depletion classes
	depleting REAL,
	histogram TEXT,			-- JSON: neurons with a z-score below 3.5, 4, 4.5, ... 10.5, and above
	top TEXT,			-- JSON: ids of the tokens with the largest z-scores
	PRIMARY KEY (side, layer)
) WITHOUT ROWID;

-- For people with sqlite3 at hand.
CREATE VIEW decoded AS
	SELECT n.layer, n.neuron, s.name AS side, d.token AS id, t.shown AS text, d.score, d.prob,
		d.norm, d.entropy, d.kurtosis, d.zscore, c.name AS class
	FROM decode d
	JOIN neuron n ON n.id = d.neuron
	JOIN side s ON s.id = d.side
	JOIN class c ON c.id = n.class
	LEFT JOIN token t ON t.id = d.token;
CREATE VIEW found AS
	SELECT t.shown AS text, p.token AS id, s.name AS side, n.layer, n.neuron, p.score
	FROM posting p
	JOIN neuron n ON n.id = p.neuron
	JOIN side s ON s.id = p.side
	LEFT JOIN token t ON t.id = p.token;
