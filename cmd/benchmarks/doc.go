// Package benchmarks measures the program as its users run it: how soon it is ready, what memory it takes,
// what a busy agent costs. It holds nothing but benchmarks; run them with make bench.
package benchmarks
