// Package floors holds the rules of the house: who may import whom, which calls
// stand in one place only, how files are called. It reads sources as texts, so
// that each rule can be shown to bite. The test at the root of the module runs
// it over every file.
package floors
