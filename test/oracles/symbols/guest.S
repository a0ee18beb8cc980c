	.section .text.init, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	la	sp, stack_top
	li	t0, 0x6000	// mstatus.FS: floating point on
	csrs	mstatus, t0
	call	main
1:	j	1b
	.cfi_endproc
	.size _start, . - _start
