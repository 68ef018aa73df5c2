# Each target sets up whatever it needs; ./run says what the commands do. make PORT=8001 demo, make ARGS="-k wall" test.
.PHONY: demo test check bench
demo check bench:
	@exec ./run $@
test:
	@exec ./run test $(ARGS)
