//! Counters, histograms and access-log formats.
